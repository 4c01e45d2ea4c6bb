import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkFolder } from "../../src/audit/captured/check.ts";
import { parseManifest } from "../../src/audit/captured/manifest.ts";
import { readCaptured } from "../../src/audit/captured/read.ts";
import { type AuditOutcome, type AuditRequest, completeAuditSpec, runAudit } from "../../src/audit/index.ts";
import { encodeRow } from "../../src/data/index.ts";
import { clientGradientStep } from "../../src/fl/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { importOnnx } from "../../src/onnx/index.ts";
import { renderAudit } from "../../src/report/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key } from "../../src/util/index.ts";
import { fileOf, randomOf } from "../onnx/file-of.ts";
import { THREADS, write } from "./captured-fixture.ts";

const AGE = { name: "age", kind: "numeric", min: 18, max: 98 } as const;
const JOB = { name: "job", kind: "categorical", categories: ["craft", "office", "sales"] } as const;
const CAR = { name: "car", kind: "categorical", categories: ["no", "yes"] } as const;
const COLUMNS = [AGE, JOB, CAR];
const ROWS = [
  ["42", "sales", "yes"],
  ["67.5", "craft", "no"],
];
const CSV = "car,age,job,bought\nyes,42,sales,never\nno,67.5,craft,often\n";
const CLASSES = ["often", "never", "once"];
const LABELS = [1, 0]; // never, often

/** An MLP with one hidden layer whose input is [N,6], as scikit-learn and PyTorch export one. */
const onnx = () =>
  fileOf({
    inputs: { x: ["N", 6] },
    outputs: ["logits"],
    initializers: {
      w1: randomOf("w1", [20, 6]),
      b1: randomOf("b1", [20]),
      w2: randomOf("w2", [3, 20]),
      b2: randomOf("b2", [3]),
    },
    nodes: [
      { type: "Gemm", inputs: ["x", "w1", "b1"], outputs: ["h"], attributes: { transB: 1 } },
      { type: "Relu", inputs: ["h"], outputs: ["r"] },
      { type: "Gemm", inputs: ["r", "w2", "b2"], outputs: ["logits"], attributes: { transB: 1 } },
    ],
  });

/** The folder of what a client with the first rows would send, its network fed with (x − mean)/std of the age. */
async function captured(
  count: number,
  { file = false, mean = 0, std = 1, columns = COLUMNS as readonly object[] } = {},
) {
  const imported = file ? importOnnx(onnx(), { name: "model.onnx" }) : undefined;
  const options = { inputShape: [1, 1, 6], classes: 3, hidden: 20 };
  const network = imported?.model ?? buildModel("mlp3", options);
  const weights = imported?.weights ?? initialise(network, key(7));
  const rows = ROWS.slice(0, count).flatMap((row) => {
    const [age, ...rest] = encodeRow(row, COLUMNS, "row");
    return [mean === 0 ? age! : (age! * 80 + 18 - mean) / std, ...rest];
  });
  const images = float32([count, 1, 1, 6], rows);
  const labels = LABELS.slice(0, count);
  const { update } = await clientGradientStep({ model: network, weights, images, labels, mode: "eval", ...THREADS });
  const manifest = {
    ...({ format: "fedleak-update", version: 1, sent: "gradient", batchSize: count, batchNorm: "eval" } as const),
    model: file ? { onnx: "model.onnx" } : { name: "mlp3", options },
    ...{ classNames: CLASSES, columns },
  };
  const before = { ...weights.params };
  return write({ before, update, manifest: manifest as never, ...(file && { onnx: onnx() }) });
}

function truth(): string {
  const path = join(mkdtempSync(join(tmpdir(), "fedleak-rows-")), "rows.csv");
  writeFileSync(path, CSV);
  return path;
}

const out = () => join(mkdtempSync(join(tmpdir(), "fedleak-audit-")), "out");

async function audited(update: string, request: Partial<AuditRequest> = {}, pages: string[] = []) {
  const spec = completeAuditSpec({ update, threads: 1, seeds: 2, ...request });
  const render: typeof renderAudit = (record, pictures) => {
    pages.push(renderAudit(record, pictures));
    return pages.at(-1)!;
  };
  const outcome = await runAudit(spec, { command: "fedleak audit", render, out: out() });
  return (outcome as Extract<AuditOutcome, { kind: "done" }>).record;
}

describe("a captured update of a table", { timeout: 60_000 }, () => {
  test.each([false, true])("of one row is exact, every cell named (ONNX: %s)", async (file) => {
    const folder = await captured(1, { file });
    expect((await checkFolder(folder, THREADS)).verdict).toBe("exact");
    const record = await audited(folder);
    expect(record.confidence!.outcome).toBe("exact");
    expect(record.table).toEqual({ columns: ["age", "job", "car"], rows: [["42", "sales", "yes"]] });
    expect(record.advice.join(" ")).not.toMatch(/image|picture|convolution|normalisation/);
    const about = (name: string) => record.ledger.find(({ assumption }) => assumption === name);
    expect(about("normalisation")!.note).toBe("stated in the manifest");
    expect(about("batch-size")!.value).toBe("1 row is looked for");
    expect(record.ledger.find(({ assumption }) => assumption === "columns")).toMatchObject({
      value: "age (18 to 98), job (3 categories), car (2 categories)",
      note: expect.stringMatching(/known to the server.*stated in the manifest/),
    });
  });

  test("whose model was fed standardised numbers is read in the table's own", async () => {
    const columns = [{ ...AGE, mean: 40, std: 12.5 }, JOB, CAR];
    const folder = await captured(1, { mean: 40, std: 12.5, columns });
    expect((await audited(folder)).table!.rows).toEqual([["42", "sales", "yes"]]);
    const { model, network, table } = await readCaptured(folder);
    const fed = (v: number) => (18 + 80 * v - 40) / 12.5;
    expect(table!.std[0]).toBeCloseTo(12.5 / 80, 12);
    expect((0.3 - table!.mean[0]!) / table!.std[0]!).toBeCloseTo(fed(0.3), 12);
    expect(table!.std.slice(1)).toEqual([1, 1, 1, 1, 1]);
    expect(model).not.toBe(network);
  });

  test("of two rows is searched for as columns; with a truth in CSV it is scored, and the page shows both", async () => {
    const folder = await captured(2);
    const pages: string[] = [];
    const attack = { name: "inverting-gradients", settings: { evaluations: 250 } };
    const record = await audited(folder, { attack, truth: truth(), target: "bought" }, pages);
    expect(record.scores!.table!.rows.map((row) => row.truth)).toEqual(ROWS);
    expect(record.scores!.labels!.trueLabels).toEqual(LABELS); // by the manifest's names, not by their order in the file
    expect(record.scores!.table!.floorsFrom).toMatch(/the batch itself/);
    expect(record.scores!.table!.matchRate).toBeGreaterThan(0.6); // of six cells; chance on two rows is about a half
    expect(
      record.table!.rows.every(([, job, car]) => JOB.categories.includes(job as "craft") && /^(no|yes)$/.test(car!)),
    ).toBe(true);
    expect(pages.at(-1)).toMatch(/Private rows and their reconstructions/);
    expect(pages.at(-1)).not.toMatch(/<img/);
  });

  test("auto takes a search that can make columns", async () => {
    const record = await audited(await captured(2), { attack: { settings: { evaluations: 4 } }, seeds: 1 });
    expect(record.plan.attack).toBe("inverting-gradients");
    expect(record.ledger.find(({ assumption }) => assumption === "tv")).toMatchObject({
      value: "0",
      origin: "our-choice",
    });
  });
});

describe("the manifest", () => {
  const base = { format: "fedleak-update", version: 1, sent: "gradient", model: { name: "mlp3" } };

  test("keeps its columns through writing and reading", () => {
    const text = JSON.stringify({ ...base, columns: [{ ...AGE, mean: 1, std: 2 }, JOB] });
    const read = parseManifest(text, "m.json");
    expect(read.columns).toEqual([{ ...AGE, mean: 1, std: 2 }, JOB]);
    expect(parseManifest(JSON.stringify(read), "m.json")).toEqual(read);
    expect(parseManifest(JSON.stringify(base), "m.json").columns).toBeNull();
  });

  test.each<[string, readonly object[], object, RegExp]>([
    ["no range", [{ name: "age", kind: "numeric" }, JOB, CAR], {}, /column "age": .*min and a larger max; got no min/],
    ["no categories", [AGE, { name: "job", kind: "categorical" }, CAR], {}, /column "job": .*two different categories/],
    ["too few numbers", [AGE, JOB], {}, /columns: the model's input must be \[1,1,4\].*got \[1,1,6\]/],
    ["twice", [AGE, AGE, JOB, CAR], {}, /column "age": each column must be there once/],
    [
      "scaled categories",
      [AGE, { ...JOB, mean: 0.2, std: 0.4 }, CAR],
      {},
      /column "job": .*1 and 0s; got mean and std/,
    ],
    ["half a scaling", [{ ...AGE, std: 2 }, JOB, CAR], {}, /column "age": .*both, or neither; got std alone/],
    ["two scalings", COLUMNS, { normalisation: { mean: [0], std: [1] } }, /scaled column by column/],
  ])("is refused with %s", async (_, columns, changes, words) => {
    const folder = await captured(1);
    const path = join(folder, "manifest.json");
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), columns, ...changes }));
    await expect(readCaptured(folder)).rejects.toThrow(words);
  });

  test("a table's truth needs columns, and rows that fit them", async () => {
    const folder = await captured(1, { columns: null as never });
    await expect(audited(folder, { truth: truth() })).rejects.toThrow(/update whose manifest states columns/);
    const path = truth();
    writeFileSync(path, CSV.replace("67.5", "167.5"));
    await expect(audited(await captured(2), { truth: path })).rejects.toThrow(
      /row 2, column "age": .*18 to 98; got 167\.5/,
    );
  });
});
