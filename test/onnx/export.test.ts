import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { input, mul, type Node, print, reshape, stopGradient, tanh } from "../../src/graph/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { defineModel, initialise, inputsFor, type Mode, type Model } from "../../src/nn/index.ts";
import { type ExportOptions, exportOnnx, importOnnx } from "../../src/onnx/index.ts";
import { compile } from "../../src/runtime/index.ts";
import type { Tensors } from "../../src/tensor/index.ts";
import { key } from "../../src/util/index.ts";
import { randomOf } from "./file-of.ts";

/** Every family, as narrow and shallow as it goes. */
const FAMILIES: readonly (readonly [name: string, options: object])[] = [
  ["mlp3", { inputShape: [1, 4, 4], hidden: 6 }],
  ["lenet-sigmoid", { inputShape: [3, 8, 8] }],
  ["convnet", { inputShape: [3, 8, 8], width: 2 }],
  ["resnet10", { inputShape: [3, 8, 8], width: 2 }],
  ["resnet10", { inputShape: [3, 8, 8], width: 2, activation: "sigmoid" }],
  ["resnet18", { inputShape: [3, 8, 8], width: 2, activation: "tanh" }],
  ["resnet18-imagenet", { inputShape: [3, 32, 32], width: 2 }],
  ["densenet121", { inputShape: [3, 32, 32], width: 4, growth: 2, bottleneck: 2, blocks: [1, 2, 1, 1] }],
  ["densenet121", { inputShape: [3, 36, 40], width: 4, growth: 2, bottleneck: 2, blocks: [1, 1, 1, 1] }],
  ["mobilenet-v2", { inputShape: [3, 32, 32], widthMultiplier: 0.1 }],
  ["vit-tiny", { inputShape: [3, 8, 8], patch: 4, width: 12, depth: 2, heads: 2, hidden: 10 }],
];

const CLASSES = 5;
const familyOf = (name: string, options: object) => buildModel(name, { classes: CLASSES, ...options });

/** The graph of a model on its own tensors. */
function forward(model: Model, size: number, mode: Mode) {
  const params = inputsFor(model.params, "");
  const x = input("x", [size, ...model.inputShape]);
  return { params, ...model.forward({ params, buffers: inputsFor(model.buffers, ""), x, mode }) };
}

/** Weights with BatchNorm statistics that differ from channel to channel. */
function weightsOf(model: Model) {
  const weights = initialise(model, key(7));
  const positive = (name: string) => /var$/.test(name);
  const buffers = Object.fromEntries(
    model.buffers.map(({ name, shape }) => [name, randomOf(name, shape, (v) => (positive(name) ? v * v + 0.2 : v))]),
  );
  return { params: weights.params, buffers };
}

async function ranByOnnxruntime(bytes: Uint8Array, x: ReturnType<typeof randomOf>) {
  const session = await InferenceSession.create(bytes, { graphOptimizationLevel: "disabled", logSeverityLevel: 3 });
  const { logits } = await session.run({ images: new OrtTensor("float32", x.data, x.shape) });
  await session.release();
  return logits!;
}

const NEAR = 1e-5; // float32: onnxruntime adds in another order

describe.each(FAMILIES)("%s %j", (name, options) => {
  const model = familyOf(name, options);
  const weights = weightsOf(model);

  test("comes back as the same graph with the same weights", () => {
    expectSame(model, weights, {});
  });

  test("onnxruntime reads the file and gives our logits", async () => {
    const x = randomOf("x", [4, ...model.inputShape]);
    const theirs = await ranByOnnxruntime(exportOnnx(model, weights), x);
    const bake = { ...weights.params, ...weights.buffers };
    const program = await compile({ y: forward(model, 4, "eval").logits }, { bake, threads: 1 });
    const ours = (await program.run({ x })).y!;
    await program.release();
    expect(theirs.dims).toEqual([4, CLASSES]);
    const scale = Math.max(...ours.data.map(Math.abs));
    ours.data.forEach((v, i) => {
      expect(Math.abs(Number(theirs.data[i]) - v)).toBeLessThan(NEAR * scale);
    });
  });
});

/** Equal nodes are one object: where the graphs are the same, every number and every gradient is, bit for bit. */
function expectSame(
  model: Model,
  weights: ReturnType<typeof weightsOf>,
  how: ExportOptions,
  mode: Mode = "eval",
): void {
  const imported = importOnnx(exportOnnx(model, weights, how), { name: model.name, mode });
  const named = (tensors: Tensors) => Object.entries(tensors).sort(([a], [b]) => (a < b ? -1 : 1));
  expect(named(imported.weights.params)).toEqual(named(weights.params));
  expect(named(imported.weights.buffers)).toEqual(named(weights.buffers));
  expect([imported.model.inputShape, imported.model.classes]).toEqual([model.inputShape, CLASSES]);
  expect([imported.model.head, imported.opset]).toEqual([model.head, how.opset ?? 17]);
  const [ours, theirs] = [forward(model, 3, mode), forward(imported.model, 3, mode)];
  if (theirs.logits !== ours.logits) expect(print([theirs.logits])).toBe(print([ours.logits]));
  expect(theirs.features === ours.features).toBe(true);
  expect(theirs.activations.length).toBe(ours.activations.length);
  expect(theirs.activations.every((node, i) => node === ours.activations[i])).toBe(true);
}

describe.each([FAMILIES[1]!, FAMILIES[3]!, FAMILIES[10]!])("%s, written otherwise", (name, options) => {
  const model = familyOf(name, options);
  test.each<[string, ExportOptions]>([
    ["for one batch size", { batch: 2 }],
    ["in the oldest opset", { opset: 13 }],
    ["in the newest opset", { opset: 22 }],
  ])("%s, comes back as the same graph", async (_, how) => {
    const weights = weightsOf(model);
    expectSame(model, weights, how);
    const x = randomOf("x", [2, ...model.inputShape]);
    const [plain, other] = [{}, how].map((options) => ranByOnnxruntime(exportOnnx(model, weights, options), x));
    const [a, b] = [(await plain!).data as Float32Array, (await other!).data as Float32Array];
    b.forEach((v, i) => {
      expect(Math.abs(v - a[i]!)).toBeLessThan(NEAR * Math.max(...a.map(Math.abs)));
    });
  });
});

test("read in train mode, BatchNorm normalises by the batch as the model does", () => {
  const model = familyOf(...FAMILIES[3]!);
  expectSame(model, weightsOf(model), {}, "train");
});

test("a batch size that is fixed is declared, and told", () => {
  const model = familyOf(...FAMILIES[0]!);
  const { notes } = importOnnx(exportOnnx(model, weightsOf(model), { batch: 6 }));
  expect(notes).toEqual([expect.stringMatching(/^It was exported for batches of 6;/)]);
  expect(importOnnx(exportOnnx(model, weightsOf(model))).notes).toEqual([]);
});

describe("what cannot be written is told", () => {
  const headed = (features: (x: Node) => Node): Model =>
    defineModel({
      name: "own",
      options: {},
      inputShape: [2, 4, 4],
      classes: 3,
      head: "fc",
      features: (_, x) => features(x),
    });
  const flat = (x: Node) => reshape(x, [x.shape[0]!, -1]);
  const written = (model: Model, options: ExportOptions = {}) => exportOnnx(model, initialise(model, key(1)), options);

  test("an op that has no form", () => {
    const model = headed((x) => flat(mul(x, stopGradient(tanh(x)))));
    expect(() => written(model)).toThrow(/^export own: stop-gradient must have a form in ONNX; got nothing that stops/);
  });

  test("a network that looks at its batch size, but for one size", () => {
    const model = headed((x) => flat(mul(x, 1 / x.shape[0]!)));
    expect(() => written(model)).toThrow(/^export own: its graph must be the same for every batch size;.*--batch N/);
    expect(importOnnx(written(model, { batch: 2 })).model.classes).toBe(3);
  });

  test("options and weights that do not fit", () => {
    const model = headed(flat);
    expect(() => written(model, { opset: 12 })).toThrow("export own: opset must be 13 to 22; got 12.");
    expect(() => written(model, { batch: 0 })).toThrow("export own: batch must be a whole number ≥ 1; got 0.");
    expect(() => exportOnnx(model, { params: {}, buffers: {} })).toThrow(
      /must hold "fc.weight" of shape \[3,32\]; got none/,
    );
  });
});
