const markup = Symbol("markup"); // unforgeable by JSON: nothing read from a record can pass as markup

/** Finished markup. */
export interface Html {
  readonly [markup]: string;
}

export type HtmlValue = Html | string | number | false | null | undefined | readonly HtmlValue[];

/**
 * A template of markup: text between the placeholders is markup, placeholders are escaped unless they are `Html` themselves.
 *
 * false, null and undefined leave nothing, lists are joined. Attributes must stand in double quotes.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return raw(strings.map((text, i) => (i === 0 ? text : textOf(values[i - 1]) + text)).join(""));
}

/** Marks text as markup; only for text made by this program or by a serialiser. */
export function raw(text: string): Html {
  return { [markup]: text };
}

/** The markup as text. */
export function markupOf(value: Html): string {
  return value[markup];
}

function textOf(value: HtmlValue): string {
  if (value === false || value === null || value === undefined) return "";
  if (typeof value === "string" || typeof value === "number") return escapeText(String(value));
  return isHtml(value) ? value[markup] : value.map(textOf).join("");
}

function isHtml(value: Html | readonly HtmlValue[]): value is Html {
  return !Array.isArray(value);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
