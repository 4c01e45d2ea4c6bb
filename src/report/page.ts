import { parseHTML } from "linkedom/worker";
import { type Html, html, markupOf, raw } from "./html.ts";
import type { DrawingDocument } from "./line-chart.ts";

export interface Page {
  /** Of the window. */
  readonly title: string;
  /** CSS, one text or several that follow each other. */
  readonly style: string;
  /** What the page may use beside its own style: pictures in data URLs, a script of its own. */
  readonly allows: readonly ("pictures" | "script")[];
  /** What stands between <body> and </body>. */
  readonly body: Html;
}

/** A page as one HTML file that needs nothing else and may ask for nothing: its content policy refuses every request. */
export function pageOf({ title, style, allows, body }: Page): string {
  const policy = [
    "default-src 'none'",
    ...(allows.includes("pictures") ? ["img-src data:"] : []),
    "style-src 'unsafe-inline'",
    ...(allows.includes("script") ? ["script-src 'unsafe-inline'"] : []),
  ].join("; ");
  return markupOf(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${raw(policy)}">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${raw(style)}</style>
</head>
<body>
${body}
</body>
</html>
`);
}

/** A DOM without a browser, for drawing only. */
export function blankDocument(): DrawingDocument {
  return parseHTML("<!doctype html><html><body></body></html>").document;
}
