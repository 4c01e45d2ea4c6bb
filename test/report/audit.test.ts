import { existsSync } from "node:fs";
import { parseHTML } from "linkedom/worker";
import { chromium } from "playwright-core";
import { describe, expect, test } from "vitest";
import { conclusionOf } from "../../src/audit/captured/audit/conclusion.ts";
import type { AuditPictures, AuditRecord } from "../../src/audit/index.ts";
import { encodePng } from "../../src/data/index.ts";
import { floors, leakage, scoreReconstruction } from "../../src/metrics/index.ts";
import { auditVerdict, labelSentences, renderAudit } from "../../src/report/index.ts";
import { float32, row } from "../../src/tensor/index.ts";
import { key, uniform } from "../../src/util/index.ts";

const IMAGES = [2, 3, 12, 12];
const drawn = (seed: number) => float32(IMAGES, uniform(key(seed), 2 * 3 * 144));
const urls = async (seed: number) =>
  Promise.all(
    [0, 1].map(async (i) => {
      const png = await encodePng(row(drawn(seed), i));
      return `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
    }),
  );

type Confidence = NonNullable<AuditRecord["confidence"]>;
const agreement = (...agrees: boolean[]) => agrees.map((yes) => ({ meanDb: yes ? 25 : 14, floorDb: 15, agrees: yes }));

/** A record as an audit writes it, with this outcome. */
function recordOf(confidence: Partial<Confidence> = {}, more: Partial<AuditRecord> = {}): AuditRecord {
  const rowOf = (name: string, residual: number) => ({
    ...{ name, residual, status: "finished" as const, iterations: 40, evaluations: 40, seconds: 12, labels: [1, 0] },
    curve: [1, 20, 40].map((i) => ({
      iteration: i,
      evaluations: i,
      seconds: i,
      loss: 1 / i,
      cosine: 1 - residual / i,
    })),
  });
  const judged: Confidence = {
    ...{ outcome: "agree-and-fit", best: "seed-0", residual: 0.02, controlResidual: 0.8, strangersResidual: 0.7 },
    ...{ fitting: ["seed-0", "seed-1"], agreement: agreement(true, true), ...confidence },
  };
  return {
    ...{ format: "fedleak-audit", version: 1, status: "finished" },
    ...{ startedAt: "2026-03-14T09:26:53.000Z", command: "fedleak audit my-update --budget 5m" },
    spec: { budgetMs: 300_000 },
    subject: {
      model: "<b>mine</b>.onnx",
      sent: "gradient",
      shape: IMAGES,
      parameters: 1234,
      classNames: ["<cat>", "dog"],
    },
    check: {
      ...{ verdict: "likely", reasons: ["many numbers"], consistent: true, equations: 900, unknowns: 864, notes: [] },
      findings: [{ test: "symmetry", level: "passed", text: "3 symmetries hold" }],
    },
    labels: {
      ...{ inferred: [0, 1], granted: false, about: "inferred from fc.weight", proven: { 0: 1 } },
      ...{ agreeing: ["yin"], differing: ["llg"] },
    },
    plan: {
      ...{ attack: "fedleak-plus", settings: { evaluations: 40 } },
      verdicts: [{ attack: "linear-leak", verdict: "does not apply, no linear layer" }],
    },
    ledger: [
      { assumption: "local-steps", value: "1", origin: "our-choice", note: "not stated in the manifest: guessed" },
    ],
    versions: { fedleak: "0.1.0", onnxruntime: "1", platform: "linux" },
    rows: [rowOf("seed-0", 0.02), rowOf("seed-1", 0.03), rowOf("control", 0.8)],
    confidence: judged,
    conclusion: conclusionOf(judged, more.scores),
    advice: ["Larger batches."],
    ...more,
  };
}

/** Scores of the best row against images that are these or others. */
function scored(found: number, truth: number): Pick<AuditRecord, "scores"> {
  return scoredAs(drawn(found), truth);
}

function scoredAs(found: ReturnType<typeof drawn>, truth: number): Pick<AuditRecord, "scores"> {
  const { psnrDb, psnrInterval95Db, ssim, msSsim, mse, pairs } = scoreReconstruction(drawn(truth), found);
  const measured = floors(drawn(truth));
  const list = Object.values(measured);
  const above = { oneToOne: leakage(pairs.oneToOne, list), manyToOne: leakage(pairs.manyToOne, list) };
  const labels = { trueLabels: [0, 1], countAccuracy: 1, exact: true };
  return {
    scores: {
      ...{ psnrDb, psnrInterval95Db, ssim, msSsim, mse, pairs, floors: measured, leakage: above },
      ...{ source: "truth.safetensors", rows: { "seed-0": psnrDb.oneToOne }, labels },
    },
  };
}

const picturesOf = async (truth?: number): Promise<AuditPictures> => ({
  rows: { "seed-0": await urls(1), "seed-1": await urls(2), control: await urls(3) },
  truth: truth === undefined ? [] : await urls(truth),
});

describe("the verdict in plain words", () => {
  test.each([
    [{}, /^This update leaks: every search found the same 2 pictures\.$/, /Agree and fit/],
    [
      { outcome: "agree-in-part", agreement: agreement(true, false) },
      /in part: .* 1 of 2 images/,
      /the others for guesses/,
    ],
    [{ outcome: "fit-but-disagree", agreement: agreement(false, false) }, /but not which images/, /Fit but disagree/],
    [{ outcome: "fit-unconfirmed", agreement: [] }, /nothing confirms it/, /nothing to compare/],
    [
      { outcome: "no-fit", agreement: [], fitting: [] },
      /^No meaningful leakage shown under these assumptions\.$/,
      /Do not fit/,
    ],
    [
      { outcome: "exact", best: "closed-form", controlResidual: null, agreement: [] },
      /gives its 2 images away exactly/,
      /a proof, no guess/,
    ],
  ] as const)("%o", (confidence, headline, meaning) => {
    const told = auditVerdict(recordOf(confidence as Partial<Confidence>));
    expect(told.headline).toMatch(headline);
    expect(told.sentences[0]).toMatch(meaning);
    expect(told.sentences.join(" ")).toContain("Nobody gave the private images");
  });

  test("is corrected where the private images say otherwise, both ways", () => {
    expect(auditVerdict(recordOf({}, scored(1, 1))).headline).toMatch(/every search found/);
    expect(auditVerdict(recordOf({}, scored(1, 9))).headline).toMatch(/agree, but not on the private images/);
    const missed = recordOf({ outcome: "no-fit", agreement: [], fitting: [] }, scored(1, 1));
    expect(auditVerdict(missed).headline).toMatch(/leaks 2 of 2 images, as the private images show/);
    const told = (record: AuditRecord) => auditVerdict(record).sentences[0];
    expect(told(missed)).toMatch(/do not rely on their silence/);
    expect(told(recordOf({}, scored(1, 9)))).toMatch(/No private image was rebuilt/);
  });

  test.each(["no-fit", "agree-in-part"] as const)(
    "%s: one image of two that leaks is told, though the mean does not show it",
    (outcome) => {
      const mixed = drawn(1).data.slice();
      mixed.set(drawn(9).data.subarray(3 * 144), 3 * 144); // the second is another's
      const record = recordOf({ outcome, agreement: [] }, scoredAs(float32(IMAGES, mixed), 1));
      expect(record.conclusion).toMatchObject({ leaks: true, images: { clear: 1, of: 2 } });
      expect(auditVerdict(record).headline).toMatch(/^This update leaks 1 of 2 images, as the private images show/);
    },
  );

  test("counts the searches that fit, and says what is missing where there is no control", () => {
    const { rows } = recordOf();
    const more = { rows: [...rows, ...[2, 3, 4].map((i) => ({ ...rows[0]!, name: `seed-${i}` }))] };
    expect(auditVerdict(recordOf({}, more)).headline).toMatch(/2 of 5 searches fit and found the same 2 pictures/);
    const blind = auditVerdict(recordOf({ outcome: "fit-unconfirmed", controlResidual: null, agreement: [] }));
    expect(blind.sentences.join(" ")).toMatch(
      /the control or the measure of strangers failed.*update of nobody failed/,
    );
  });

  test("of an audit that has not ended, or whose files contradict each other, says so", () => {
    const { confidence: _, ...open } = recordOf();
    expect(auditVerdict({ ...open, status: "interrupted" }).sentences.join(" ")).toMatch(/3 searches.*fedleak resume/);
    expect(auditVerdict({ ...open, status: "failed", failure: "NaN" }).sentences[0]).toBe("Reason: NaN");
    const forced = recordOf({}, { check: { ...recordOf().check, consistent: false } });
    expect(auditVerdict(forced).sentences.join(" ")).toMatch(/contradict themselves/);
  });

  test("labels: what is proven and which rules agree", () => {
    expect(labelSentences(recordOf()).join(" ")).toMatch(/1 of 2 labels is proven .* same say yin; others llg/);
    const granted = { ...recordOf().labels, granted: true };
    expect(labelSentences({ ...recordOf(), labels: granted })).toHaveLength(1);
  });
});

describe("the page", () => {
  test("has the numbers, escapes what comes from files, and needs nothing else", async () => {
    const page = renderAudit(recordOf({}, scored(1, 1)), await picturesOf(1));
    const { document } = parseHTML(page);
    const text = document.body.textContent!.replaceAll(/\s+/g, " ");
    expect(document.querySelectorAll("script, link, iframe, a, b:not(.lane b)").length).toBe(0);
    for (const image of document.querySelectorAll("img")) expect(image.getAttribute("src")).toMatch(/^data:image\/png/);
    for (const words of [
      "0.0200",
      "0.800",
      "0.700",
      "100.00",
      "Larger batches.",
      "<cat> (0)",
      "--evaluations 40",
      "guessed",
    ]) {
      expect(text).toContain(words);
    }
    expect(document.querySelectorAll("ol.pairs > li").length).toBe(2);
    expect(document.querySelectorAll(".others img").length).toBe(4); // seed-1 and the control, twice
    expect(renderAudit(recordOf({}, scored(1, 1)), await picturesOf(1))).toBe(page);
  });

  test("shows the private image beside the one that was paired with it", async () => {
    const record = recordOf({}, scored(1, 1));
    const pictures = await picturesOf(1);
    const { document } = parseHTML(renderAudit(record, pictures));
    const [first] = document.querySelectorAll("ol.pairs > li");
    const sources = [...first!.querySelectorAll(".two img")].map((image) => image.getAttribute("src"));
    expect(sources).toEqual([pictures.truth[0], pictures.rows["seed-0"]![0]]);
  });

  const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
  test.skipIf(!existsSync(CHROMIUM))(
    "fits every width, asks for nothing and leaves no hole in the facts",
    async () => {
      const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
      try {
        for (const record of [
          recordOf(),
          recordOf({}, scored(1, 1)),
          recordOf({ outcome: "exact", best: "closed-form", controlResidual: null, agreement: [] }),
        ]) {
          const text = renderAudit(record, await picturesOf(record.scores ? 1 : undefined));
          for (const width of [1200, 400]) {
            const page = await browser.newPage({ viewport: { width, height: 900 } });
            const asked: string[] = [];
            page.on("request", (request) => request.url().startsWith("data:") || asked.push(request.url()));
            await page.setContent(text);
            expect(asked).toEqual([]);
            expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
            const edges = `(() => { const facts = document.querySelector(".facts").getBoundingClientRect();
            const last = document.querySelector(".facts > div:last-child").getBoundingClientRect();
            return Math.abs(facts.right - last.right); })()`;
            expect(await page.evaluate(edges)).toBeLessThan(3); // pixels of border
            await page.close();
          }
        }
      } finally {
        await browser.close();
      }
    },
    60_000,
  );
});
