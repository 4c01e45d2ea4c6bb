import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareJson, compareText } from "../../src/cli/compare-summary.ts";
import { meanCurve } from "../../src/report/compare/mean-curve.ts";
import { renderComparison } from "../../src/report/compare/render.ts";
import { comparisonCsv, comparisonDocuments, comparisonMarkdown, tableNote } from "../../src/report/index.ts";
import { fakeComparison, fakePictures } from "./compare-fixture.ts";

const comparison = fakeComparison();

describe("the table for documents", () => {
  test("as CSV has a line an attack with full precision, and empty cells where there is no number", () => {
    const [head, ...lines] = comparisonCsv(comparison).trimEnd().split("\r\n");
    expect(lines).toHaveLength(3);
    const names = head!.split(",");
    const first = lines[0]!.split(",");
    const value = (name: string) => first[names.indexOf(name)];
    expect(value("attack")).toBe("fedleak-release");
    expect(value("psnr_one_to_one_db")).toBe("19");
    expect(value("difference_db")).toBe("2");
    expect(lines[1]!.split(",")[names.indexOf("difference_db")]).toBe("");
    expect(lines[2]).toContain('"fedleak:gamma=0,tv=0.1",2,1,2'); // quoted: it holds a comma
  });

  test("as Markdown says budget, seeds and failures", () => {
    const text = comparisonMarkdown(comparison);
    expect(text).toContain("**sigmoid**, batch 2, 100 gradient evaluations a trial");
    expect(text).toMatch(/\| fedleak-release \| 19\.00 \|/);
    expect(text).toContain("| 1 of 2, 2 failed |");
    expect(text).toContain("2 seeds (0, 1)");
    const widths = text
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .map((line) => line.split("|").length);
    expect(new Set(widths).size).toBe(1);
  });
});

describe("what is assumed", () => {
  test("stands under each table of Markdown and report, escaped, what differs apart with whose it is", () => {
    const markdown = comparisonMarkdown(comparison);
    expect(markdown).toMatch(/\|\n\nAssumed in every row: weights: from a\\_b\.safetensors, .* · budget: at most 100 /);
    expect(markdown).toMatch(/Not the same in all rows: prior: none \(inverting-gradients\) \/ a \\<decoder\\> \(/);
    const page = renderComparison(comparison, []);
    expect(page).toContain("<strong>Assumed in every row.</strong> weights: from a_b.safetensors");
    expect(page).toContain("a &lt;decoder&gt; (fedleak-release, fedleak:gamma=0,tv=0.1 (seed 0)).");
  });

  test("stands under each table of the terminal and in its JSON", () => {
    const outcome = { comparison, folder: "c" };
    expect(compareText(outcome)).toMatch(
      /\nAssumed in every row: weights: .*\n(.*\n)*Not the same in all rows: prior: /,
    );
    expect(compareJson(outcome).assumptions).toEqual(comparison.assumptions);
  });

  test("is left out where an older file does not have it", () => {
    const { assumptions: _, ...older } = comparison;
    expect(comparisonMarkdown(older)).not.toContain("Assumed");
    expect(renderComparison(older, [])).not.toContain("Assumed");
  });
});

describe("the curve over seeds", () => {
  const at = (evaluations: number, psnrDb: number) => ({ evaluations, seconds: evaluations / 2, psnrDb });

  test("is the mean at each point, with the least and the most", () => {
    expect(
      meanCurve(
        [
          [at(10, 8), at(20, 12)],
          [at(10, 10), at(20, 18)],
        ],
        "seconds",
      ),
    ).toEqual([
      { at: 5, psnrDb: 9, low: 8, high: 10 },
      { at: 10, psnrDb: 15, low: 12, high: 18 },
    ]);
  });

  test("keeps every trial: between its points on a line, after its end at its last value", () => {
    const curves = [
      [at(10, 8), at(14, 12)],
      [at(10, 10), at(20, 20)],
    ];
    expect(meanCurve(curves, "evaluations")).toEqual([
      { at: 10, psnrDb: 9, low: 8, high: 10 },
      { at: 14, psnrDb: 13, low: 12, high: 14 },
      { at: 20, psnrDb: 16, low: 12, high: 20 },
    ]);
    expect(meanCurve([], "evaluations")).toEqual([]);
  });
});

describe("the report", () => {
  test("names the best attack, the failures and their reasons, escaped", async () => {
    const text = renderComparison(comparison, await fakePictures());
    expect(text).toContain("<h1>fedleak-release came closest.</h1>");
    expect(text).toContain("got &lt;NaN&gt; in iteration 40");
    expect(text).toContain("no such thing");
    expect(text).toContain("2 of 2 trials failed");
    expect(text).toContain("&#39;a &amp; b&#39;");
    expect(text).toContain("chooses nothing");
    expect(text).not.toMatch(/undefined|NaN(?!&gt;)|\[object/);
  });

  test("does not call an attack ahead whose difference may be 0, and counts the seeds that were scored", () => {
    const [first, ...others] = comparison.table;
    const lead = { over: "inverting-gradients", meanDb: 0.4, interval95Db: [-0.5, 1.3] as const, seeds: 1 };
    const line = { ...first!, lead, trials: { planned: 2, scored: 1, failed: 0 } };
    const text = renderComparison({ ...comparison, table: [line, ...others] }, []);
    expect(text).toContain("<h1>fedleak-release and inverting-gradients came closest, not told apart.</h1>");
    expect(text).toMatch(
      /over 1 seed of 2, .*not told apart from inverting-gradients: difference 0\.40.dB \(95 %: .0\.50.dB to 1\.30.dB; 1 common seed\)/,
    );
  });

  test("says of each setting whether a seed draws other weights", () => {
    const [setting] = comparison.plan.settings;
    const trained = { name: "trained", model: { weights: "w.safetensors" } };
    const note = (settings: typeof comparison.plan.settings) =>
      tableNote({ jobs: 2, plan: { ...comparison.plan, settings } });
    expect(note([setting!])).toContain("each another batch and other weights");
    expect(note([trained])).toContain("each another batch, the same for all attacks; the weights are those of a file");
    expect(note([setting!, trained])).toContain("but for trained with the weights of a file, other weights");
    expect(note([setting!])).toContain("2 trials at once");
  });

  test("shows no picture that is no data URL", async () => {
    const [pictures] = await fakePictures();
    expect(() => renderComparison(comparison, [{ ...pictures!, originals: ["https://x/a.png"] }])).toThrow(/data URLs/);
  });

  test("of a comparison without any score says so", () => {
    const rows = comparison.rows.map(({ result: _, ...row }) => row);
    const table = comparison.table.map((line) => ({ ...line, psnrDb: null, floorDb: null, leakageDb: null }));
    expect(renderComparison({ ...comparison, rows, table }, [])).toContain("No trial has a score yet.");
  });

  test("comes with a figure that stands alone: fixed colours, a line an attack", () => {
    const figure = String(comparisonDocuments(comparison, [])["figure.svg"]);
    expect(figure).not.toMatch(/var\(|currentcolor--|<script/);
    expect(figure).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    for (const { as } of comparison.plan.attacks) expect(figure).toContain(`>${as}, `);
  });
});

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const found = existsSync(CHROMIUM);
if (!found) console.warn(`skipped: no Chromium at ${CHROMIUM}; set CHROMIUM to its path`);

describe.skipIf(!found)("in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  });
  afterAll(() => browser.close());

  test.each([1200, 400, 320])(
    "at %d px nothing is asked for, nothing complains, the page does not scroll sideways",
    async (width) => {
      const page = await browser.newPage({ viewport: { width, height: 900 } });
      const heard: string[] = [];
      page.on("console", (message) => heard.push(message.text()));
      page.on("pageerror", (error) => heard.push(String(error)));
      page.on("request", (request) => {
        if (!request.url().startsWith("data:")) heard.push(request.url());
      });
      await page.setContent(renderComparison(comparison, await fakePictures()));
      expect(heard).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
      const beyond = `(() => {
      const edge = document.body.getBoundingClientRect().right - parseFloat(getComputedStyle(document.body).paddingRight) + 0.5;
      const free = (e) => e.getBoundingClientRect().right > edge && !e.parentElement.closest(".scroll");
      return [...document.body.querySelectorAll("*")].filter(free).map((e) => e.outerHTML);
    })()`; // half a pixel: layout rounds to fractions; what scrolls in its own box may be wider
      expect(await page.evaluate(beyond)).toEqual([]);
      expect(
        await page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth === 32)"),
      ).toBe(true);
      await page.close();
    },
  );

  test("every attack's colour keeps a contrast of 3 : 1, light and dark", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await browser.newPage({ colorScheme });
      await page.setContent(renderComparison(comparison, []));
      const contrast = await page.evaluate<number>(`(() => {
        const luminance = (name) => {
          const value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
          const [r, g, b] = [1, 3, 5].map((i) => parseInt(value.slice(i, i + 2), 16) / 255)
            .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const grounds = ["--page", "--card"].map(luminance);
        return Math.min(...Array.from({ length: 8 }, (_, i) => "--attack-" + i).flatMap((name) => grounds.map((g) => ratio(luminance(name), g))));
      })()`);
      expect(contrast).toBeGreaterThanOrEqual(3); // WCAG 2.2, success criterion 1.4.11: graphics
      await page.close();
    }
  });
});
