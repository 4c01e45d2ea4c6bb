import { existsSync } from "node:fs";
import { parseHTML } from "linkedom/worker";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Explanation, NoisePart, Steepness, VariantName, VariantTrace } from "../../src/audit/index.ts";
import { equivalentNoise } from "../../src/report/explain/equivalent-noise.ts";
import { quantile, summaryOf } from "../../src/report/explain/summary.ts";
import { findings, renderExplanation } from "../../src/report/index.ts";

const steep = (mu: number, l: number): Steepness => ({ mu, l, ratio: mu / l, alignment: mu / Math.sqrt(l) });

/** A run whose μ is as given, point by point, and whose L is 4. */
function trace(name: VariantName, mus: readonly number[], blend?: number): VariantTrace {
  return {
    ...{ name, maskRatio: 0.5, maskScope: "global", gamma: blend === undefined ? 0 : 0.3, lookahead: "descent" },
    ...{ asSet: name === "both", status: "finished", end: { l2: 1, cosine: 0.01, l1Cosine: 0.02 } },
    points: mus.map((mu, i) => ({
      ...{ iteration: i * 10, loss: 1 / (i + 1), rms: 0.4 / (i + 1), here: steep(mu, 4) },
      blended: blend === undefined ? null : steep(mu * blend, 4),
    })),
  };
}

const strengths = [0, 0.01, 0.1, 1];
const levels = (scale: number): NoisePart["full"] =>
  strengths.map((s) => ({ strength: s, l2: [s * scale, 1.1 * s * scale], cosine: [s * s, s * s], l1Cosine: [s, s] }));

const stand = { status: "finished", print: "p", seconds: 1.5 } as const;
const explained: Explanation = {
  ...{ format: "fedleak-explanation", version: 1, status: "finished", startedAt: "2026-03-14T09:26:00.000Z" },
  command: "fedleak explain --attack fedleak --images '<dir>'",
  spec: {
    attack: { name: "fedleak", settings: {} },
    model: { name: "resnet10", options: { activation: "sigmoid" } },
    ...{ data: { name: "embedded" }, client: { batchSize: 4 }, device: "cpu", threads: 0, seed: 0 },
  },
  ledger: [{ assumption: "labels", value: "<b>inferred</b>", origin: "paper", note: "a note" }],
  versions: { fedleak: "0.1.0", onnxruntime: "1", platform: "linux x64" },
  prints: { spec: "s", inputs: "i" },
  parts: {
    convergence: {
      ...{ ...stand, iterations: 40, every: 10, notes: ["x is the private batch."] },
      variants: [
        trace("neither", [0.2, -0.1, 0.1, 0.05, 0.05]),
        trace("regularisation", [0.2, 0.2, 0.2, 0.2, 0.2], 1.5),
        trace("partial-matching", [0.1, 0.1, 0.1, 0.1, 0.1]),
        trace("both", [0.2, 0.2, 0.2, 0.2, 0.2], 2),
      ],
    },
    noise: { ...stand, draws: 2, maskRatio: 0.5, gradientNorm: 4, full: levels(2), partial: levels(1) },
    sensitivity: {
      ...stand,
      scopes: [
        {
          ...{ name: "last-layer", entries: 5120, sampled: 4, pearson: 0.81, spearman: -0.2 },
          ...{ pearsonInterval95: [0.7, 0.9], magnitudes: [0, 1, 2, 3], sensitivities: [1, 2, 2, 4] },
        },
      ],
    },
    damping: {
      ...stand,
      paths: [0, 0.3].flatMap((gamma) => [1, 0.9].map((stepSize) => ({ gamma, stepSize, points: [0.5, -0.5, 0.25] }))),
    },
  },
};
const page = renderExplanation(explained);
const dom = (text: string) => parseHTML(text).document;
const words = (text: string) => dom(text).body.textContent!.replaceAll(/\s+/g, " ");

describe("findings are computed from the numbers", () => {
  test("of the gradient that a run descends, the blend where there is one", () => {
    const told = findings(explained).convergence!;
    expect(told.sentence).toBe(
      "With both techniques the median μ/L is 0.100, with neither 0.0125: 8 times higher, and steadier.",
    );
    expect(told.more).toMatch(/a median of 0\.20 with both techniques and 0\.03 with neither/);
    const [neither] = explained.parts.convergence!.variants;
    expect(summaryOf(neither!)).toMatchObject({ mu: 0.05, l: 4, ratio: 0.0125, away: 0.2, lastRms: 0.08 });
    expect(quantile([4, 1, 3, 2], 0.25)).toBe(1.75);
  });

  test("and turn with them: lower, alike, negative, failed", () => {
    const { convergence } = explained.parts;
    const sentence = (neither: readonly number[], both: readonly number[]) => {
      const variants = [trace("neither", neither), trace("both", both)];
      return findings({ ...explained, parts: { convergence: { ...convergence!, variants } } }).convergence!.sentence;
    };
    expect(sentence([0.4, 0.4], [0.1, 0.1])).toMatch(/4 times lower/);
    expect(sentence([0.4, 0.4], [0.41, 0.41])).toMatch(/about the same/);
    expect(sentence([0.4, 0.4], [-0.1, -0.1])).toMatch(/is −0\.0250, with neither 0\.100: lower/);
    const failed = { ...convergence!, status: "failed", failure: "no run", variants: [] } as const;
    const parts = { convergence: { ...failed, variants: [] } };
    expect(findings({ ...explained, parts }).convergence!.sentence).toBe("Failed: no run");
    expect(words(renderExplanation({ ...explained, parts }))).toMatch(/Failed: no run/);
  });

  test("of noise, sensitivity beside the published number, and damping", () => {
    const { noise, sensitivity, damping } = findings(explained);
    expect(noise!.sentence.replaceAll("\u00a0", " ")).toMatch(
      /strength 0\.1 .* by 5\.25 % of its length, a cosine distance of 0\.0100/,
    );
    expect(noise!.more).toMatch(/reaches 0\.1 at strength 1\.00/);
    expect(sensitivity!.sentence).toMatch(
      /with 0\.81 \(0\.70 to 0\.90\) in the last layer, 4 of 5,120 entries; published: 0\.74/,
    );
    expect(sensitivity!.more).toMatch(/\(Spearman\) it is −0\.20/);
    expect(damping!.sentence).toMatch(/between 0\.5 and −0\.5 for ever/);
  });

  test("noise of the same gradient distance is read between the curve's points", () => {
    const { noise } = explained.parts;
    expect(equivalentNoise(noise!, 0.01)).toBeCloseTo(0.1, 9);
    expect(equivalentNoise(noise!, 0.1)).toBeCloseTo(Math.sqrt(0.1), 9); // cosine distance s²
    expect(equivalentNoise(noise!, 1e-9)).toBe(0);
    expect(equivalentNoise(noise!, 1.5)).toBeNull();
  });
});

describe("the page", () => {
  test("stands alone, shows no image, escapes what it is given, and is the same again", () => {
    const document = dom(page);
    expect(document.querySelectorAll("script, link, iframe, img, a, [src], [href]").length).toBe(0);
    expect(page).not.toContain("<b>inferred</b>");
    expect(page).toContain("&lt;b&gt;inferred&lt;/b&gt;");
    expect(page).toContain("&#39;&lt;dir&gt;&#39;");
    expect(renderExplanation(explained)).toBe(page);
  });

  test("says setting, definition, sign, source figure, and that the attack never saw the truth", () => {
    const text = words(page);
    for (const said of [
      /fedleak on resnet10 \(sigmoid\), embedded, batch 4 · 2026-03-14 09:26 UTC/,
      /μ = ⟨x′−x, D⟩ \/ ‖x′−x‖² and L = ‖D‖² \/ ‖x′−x‖²/,
      /A negative ⟨x′−x, D⟩, and with it μ, means that the gradient leads away/,
      /Figures 1c and 1d/,
      /Figure 1b/,
      /Figure 9/,
      /Figure 10/,
      /beside the attack, which never sees them/,
      /Entries that are 0 and so not drawn: 1\./,
    ]) {
      expect(text).toMatch(said);
    }
    expect(dom(page).querySelectorAll("svg[role=img][aria-label]").length).toBe(5 + 3 + 1 + 2);
  });

  test("tells a part that other versions computed", () => {
    const { versions, parts } = explained;
    const noise = { ...parts.noise!, versions: { ...versions, fedleak: "0.0.9" } };
    const page = renderExplanation({ ...explained, parts: { ...parts, noise } });
    expect(page).toContain("against noise (by fedleak 0.0.9)</strong>");
    expect(page.match(/by fedleak/g)).toHaveLength(1);
  });

  test("leaves out what was not computed, and says so", () => {
    const { damping } = explained.parts;
    const text = words(renderExplanation({ ...explained, parts: { damping } }));
    expect(text).toContain("Not computed: convergence, gradient distance against noise, magnitude and sensitivity.");
    expect(text).not.toContain("Figure 1b");
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

  test.each([1200, 320])("at %d px nothing is asked for, nothing complains, the page is no wider", async (width) => {
    const page0 = await browser.newPage({ viewport: { width, height: 900 } });
    const heard: string[] = [];
    page0.on("console", (message) => heard.push(message.text()));
    page0.on("pageerror", (error) => heard.push(String(error)));
    page0.on("request", (request) => heard.push(request.url()));
    await page0.setContent(page);
    expect(heard).toEqual([]);
    expect(await page0.evaluate("document.documentElement.scrollWidth")).toBe(width);
    const beyond = `[...document.querySelectorAll("svg text")].filter((text) => {
      const [own, frame] = [text, text.ownerSVGElement].map((e) => e.getBoundingClientRect());
      return own.left < frame.left - 1 || own.right > frame.right + 1;
    }).map((text) => text.textContent)`; // a pixel: glyphs overhang
    expect(await page0.evaluate(beyond)).toEqual([]);
    await page0.close();
  });
});
