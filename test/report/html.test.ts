import fc from "fast-check";
import { parseHTML } from "linkedom/worker";
import { expect, test } from "vitest";
import { html, markupOf, raw } from "../../src/report/html.ts";

test("escapes what stands in a placeholder, keeps what is markup already", () => {
  expect(markupOf(html`<p title="${`"&'`}">${"<b>"} ${html`<i>${1}</i>`}</p>`)).toBe(
    `<p title="&quot;&amp;&#39;">&lt;b&gt; <i>1</i></p>`,
  );
});

test("joins lists; false, null and undefined leave nothing, 0 stays", () => {
  expect(markupOf(html`${["a", html`<br>`, ["<", 0]]}|${false}${null}${undefined}`)).toBe("a<br>&lt;0|");
  expect(markupOf(html`${raw("<hr>")}`)).toBe("<hr>");
});

test("any text comes back from a parser as it went in, in an element and in an attribute", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => {
      const { document } = parseHTML(
        `<!doctype html><html><body>${markupOf(html`<p title="${text}">${text}</p>`)}</body></html>`,
      );
      const paragraph = document.querySelector("p")!;
      expect(paragraph.textContent).toBe(text);
      expect(paragraph.getAttribute("title")).toBe(text);
      expect(paragraph.children.length).toBe(0);
    }),
  );
});
