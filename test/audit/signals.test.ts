import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { advance } from "../../src/attacks/index.ts";
import { type AuditOutcome, type AuditRequest, completeAuditSpec, runAudit } from "../../src/audit/index.ts";
import { input, totalVariation } from "../../src/graph/index.ts";
import { importOnnx } from "../../src/onnx/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import { float32, writeSafetensors } from "../../src/tensor/index.ts";
import { attackOn, type Case } from "../attacks/tiny.ts";
import { fileOf, randomOf } from "../onnx/file-of.ts";
import { folderOf, make, write } from "./captured-fixture.ts";

/** Two channels of 12 samples each, scaled to [0,1]. */
const SIGNAL = { inputShape: [2, 1, 12], classes: 5, hidden: 64 };

/** A generator that compiles fast. */
const SMALL = { evaluations: 4, generatorChannels: 8, generatorLatent: 8 };

async function audited(batchSize: number, request: Partial<AuditRequest>) {
  const made = await make({ batchSize, options: SIGNAL });
  const truth = folderOf({ "truth.safetensors": writeSafetensors({ images: made.images }) });
  const out = join(mkdtempSync(join(tmpdir(), "fedleak-signal-")), "out");
  const spec = completeAuditSpec({ update: write(made), truth, threads: 1, seeds: 2, ...request });
  const outcome = await runAudit(spec, { command: "fedleak audit", render: () => "", out });
  return (outcome as Extract<AuditOutcome, { kind: "done" }>).record;
}

test("one signal is given away exactly by the first layer", { timeout: 60_000 }, async () => {
  const record = await audited(1, {});
  expect(record.confidence!.outcome).toBe("exact");
  expect(record.scores!.psnrDb.oneToOne).toBeGreaterThan(90);
});

test("several are searched for", { timeout: 60_000 }, async () => {
  const record = await audited(2, {
    attack: { name: "inverting-gradients", settings: { evaluations: 200 } },
  });
  expect(record.subject.shape).toEqual([2, 2, 1, 12]);
  expect(record.scores!.leakage.oneToOne.share).toBeGreaterThan(0.3);
});

const MEAN = [0.1, 0.6];
const STD = [0.3, 0.4];

/** A convolution over the samples of two channels, as PyTorch exports one: [N,2,12] → [N,5]. */
const CONVOLUTION = fileOf({
  inputs: { x: ["N", 2, 12] },
  outputs: ["y"],
  initializers: {
    "conv.weight": randomOf("w", [8, 2, 3], (v) => 0.3 * v),
    "conv.bias": randomOf("c", [8], (v) => 0.1 * v),
    "fc.weight": randomOf("f", [5, 96], (v) => 0.1 * v),
    "fc.bias": randomOf("b", [5], (v) => 0.1 * v),
  },
  nodes: [
    { type: "Conv", inputs: ["x", "conv.weight", "conv.bias"], outputs: ["h"], attributes: { pads: [1, 1] } },
    { type: "Sigmoid", inputs: ["h"], outputs: ["a"] },
    { type: "Flatten", inputs: ["a"], outputs: ["flat"] },
    { type: "Gemm", inputs: ["flat", "fc.weight", "fc.bias"], outputs: ["y"], attributes: { transB: 1 } },
  ],
});

test("a one-dimensional convolution takes two channels, each with a mean of its own", { timeout: 60_000 }, async () => {
  const made = await make({ batchSize: 1, onnx: CONVOLUTION });
  const fed = made.images; // what the network saw: (x − mean)/std
  const images = float32(
    fed.shape,
    fed.data.map((z, i) => z * STD[i < 12 ? 0 : 1]! + MEAN[i < 12 ? 0 : 1]!),
  );
  const spec = completeAuditSpec({
    update: write(made, { normalisation: { mean: MEAN, std: STD } }),
    truth: folderOf({ "truth.safetensors": writeSafetensors({ images }) }),
    threads: 1,
    seeds: 1,
    attack: { name: "inverting-gradients", settings: { evaluations: 300, tv: 0 } },
  });
  const out = join(mkdtempSync(join(tmpdir(), "fedleak-signal-")), "out");
  const { record } = (await runAudit(spec, { command: "fedleak audit", render: () => "", out })) as Extract<
    AuditOutcome,
    { kind: "done" }
  >;
  expect(record.subject.shape).toEqual([1, 2, 1, 12]);
  expect(record.scores!.psnrDb.oneToOne).toBeGreaterThan(25); // the means swapped, or one for both, stay far below
});

test("a heavy total variation flattens each channel, and does not draw the channels together", async () => {
  const rough = (at: number) => Array.from({ length: 12 }, (_, i) => at + (i % 2 === 0 ? 0.1 : -0.1));
  const rebuilt = async (tv: number, inputShape?: [number, number, number]) => {
    const { model, weights } = importOnnx(CONVOLUTION, inputShape && { inputShape });
    const images = float32([1, ...model.inputShape], [...rough(0.1), ...rough(0.9)]);
    const of: Case = { model, weights, images, labels: [0], mode: "eval" };
    const run = await attackOn(of, "inverting-gradients", { iterations: 150, tv });
    const { data } = await run.reconstruct((await advance(run, run.initial, 150))!.state);
    await run.release();
    const channels = [[...data.slice(0, 12)], [...data.slice(12)]];
    const steps = channels.map((own) => mean(own.slice(1).map((v, i) => Math.abs(v - own[i]!))));
    return { step: mean(steps), apart: mean(channels[1]!) - mean(channels[0]!) };
  };
  const [plain, flat, picture] = [await rebuilt(0), await rebuilt(TV), await rebuilt(TV, [1, 2, 12])];
  expect(flat.step).toBeLessThan(plain.step / 2);
  expect(flat.apart).toBeGreaterThan(0.6); // of 0.8
  expect(picture.apart).toBeLessThan(0.1); // lines of a picture are neighbours
}, 60_000);

const TV = 1; // heavy: 10,000 times the preset's

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

test("the best search for images takes signals", { timeout: 60_000 }, async () => {
  const record = await audited(2, { attack: { settings: SMALL }, seeds: 1 });
  expect(record.status).toBe("finished");
});

test("the total variation of a signal is that of its samples", () => {
  const tv = (shape: readonly number[], values: readonly number[]) =>
    evaluate({ tv: totalVariation(input("x", shape)) }, { x: float32(shape, values) }).tv!.data[0];
  expect(tv([1, 1, 1, 4], [0, 1, 1, 0.5])).toBeCloseTo(1.5 / 3, 7);
  expect(tv([1, 1, 4, 1], [0, 1, 1, 0.5])).toBeCloseTo(1.5 / 3, 7);
  expect(tv([1, 1, 2, 2], [0, 1, 1, 0.5])).toBeCloseTo(1.5 / 2 + 1.5 / 2, 7);
  expect(() => totalVariation(input("x", [1, 1, 1, 1]))).toThrow(/2 pixels or more/);
});
