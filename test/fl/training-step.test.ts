import { describe, expect, it } from "vitest";
import {
  batchOrder,
  beginTraining,
  clientGradientStep,
  openEvaluator,
  serverStep,
  trainingStep,
  type Weights,
} from "../../src/fl/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { sgd } from "../../src/optim/index.ts";
import { float32, type Tensors } from "../../src/tensor/index.ts";
import { key, split, uniform } from "../../src/util/index.ts";

const RESNET = buildModel("resnet10", { inputShape: [1, 8, 8], classes: 3, width: 2 });
const MLP = buildModel("mlp3", { inputShape: [1, 4, 4], classes: 3, hidden: 8 });
const [MOMENTUM, DECAY, RATE] = [0.9, 0.01, 0.1];

const batchOf = (side: number, labels: readonly number[], seed: number) => ({
  images: float32([labels.length, 1, side, side], uniform(key(seed), labels.length * side * side)),
  labels,
});

/** The greatest difference of equally named tensors. */
function distance(a: Tensors<"float32">, b: Tensors<"float32">): number {
  expect(Object.keys(a).sort()).toEqual(Object.keys(b).sort());
  return Math.max(
    ...Object.entries(a).flatMap(([name, t]) => Array.from(t.data, (v, i) => Math.abs(v - b[name]!.data[i]!))),
  );
}

describe("trainingStep", { timeout: 60_000 }, () => {
  it.each([
    ["train", RESNET, 8],
    ["eval", RESNET, 8],
    ["eval", MLP, 4],
  ] as const)(
    "is the client's gradient and PyTorch's SGD with momentum and decay: %s mode",
    async (mode, model, side) => {
      const optimiser = sgd({ momentum: MOMENTUM, weightDecay: DECAY });
      const program = await trainingStep({ model, batchSize: 4, mode, optimiser });
      let state = beginTraining(model, optimiser, initialise(model, key(1)));
      let expected: Weights = state.weights;
      const memory = new Map<string, Float64Array>();
      for (const seed of [5, 6, 7]) {
        const batch = batchOf(side, [0, 2, 1, 1], seed);
        const sent = await clientGradientStep({ model, weights: expected, mode, ...batch });
        const made = await program.advance(state, batch, RATE);
        expect(made.loss).toBeCloseTo(sent.loss, 5); // float32, two programs
        expect(made.finite).toBe(true);
        state = made.state;
        const params = Object.entries(expected.params).map(([name, { shape, data }]) => {
          const b = memory.get(name) ?? new Float64Array(data.length);
          const after = data.map((w, i) => {
            b[i] = MOMENTUM * b[i]! + sent.update[name]!.data[i]! + DECAY * w;
            return w - RATE * b[i]!;
          });
          memory.set(name, b);
          return [name, float32(shape, after)] as const;
        });
        expected = { params: Object.fromEntries(params), buffers: sent.buffers };
      }
      await program.release();
      expect(state.steps).toBe(3);
      expect(distance(state.weights.params, expected.params)).toBeLessThan(2e-5); // float32 over three steps; weights are about 0.3
      expect(distance(state.weights.buffers, expected.buffers)).toBeLessThan(1e-5);
      if (mode === "eval") expect(state.weights.buffers).toEqual(initialise(model, key(1)).buffers);
    },
  );

  it("learns a small batch by heart, and counts what it gets right", async () => {
    const optimiser = sgd({ momentum: 0.9 });
    const program = await trainingStep({ model: MLP, batchSize: 6, mode: "train", optimiser });
    const batch = batchOf(4, [0, 1, 2, 0, 1, 2], 3);
    let made = await program.advance(beginTraining(MLP, optimiser, initialise(MLP, key(1))), batch, 0.1);
    const [first, state] = [made.loss, made.state];
    expect(made.correct).toBeLessThan(6);
    for (let i = 0; i < 300; i++) made = await program.advance(made.state, batch, 0.1);
    expect(made.correct).toBe(6);
    expect(made.loss).toBeLessThan(first / 20);
    expect(state.steps).toBe(1); // an earlier state is left as it was
    await program.release();
  });

  it("says when the state is no longer finite", async () => {
    const optimiser = sgd({ momentum: 0.9 });
    const program = await trainingStep({ model: RESNET, batchSize: 2, mode: "train", optimiser });
    const before = beginTraining(RESNET, optimiser, initialise(RESNET, key(1)));
    expect((await program.advance(before, batchOf(8, [0, 1], 3), 0.1)).finite).toBe(true);
    expect((await program.advance(before, batchOf(8, [0, 1], 3), 1e38)).finite).toBe(false);
    await expect(program.advance(before, batchOf(8, [0, 1, 2], 3), 0.1)).rejects.toThrow("2 images");
    await expect(program.advance(before, batchOf(8, [0, 3], 3), 0.1)).rejects.toThrow("got 3");
    await program.release();
  });
});

describe("serverStep", () => {
  it("moves parameters along the mean gradient and keeps its momentum", async () => {
    const optimiser = sgd({ momentum: 0.5 });
    const program = await serverStep({ model: MLP, optimiser });
    const begun = beginTraining(MLP, optimiser, initialise(MLP, key(1)));
    const ones = Object.fromEntries(
      MLP.params.map(({ name, shape }) => [
        name,
        float32(shape, new Float32Array(shape.reduce((a, b) => a * b)).fill(1)),
      ]),
    );
    const first = await program.advance(begun, ones, 0.1);
    const second = await program.advance(first.state, ones, 0.1);
    const name = "net.0.weight";
    const [was, is] = [begun.weights.params[name]!.data, second.state.weights.params[name]!.data];
    for (const i of [0, 5]) expect(is[i]! - was[i]!).toBeCloseTo(-0.1 * (1 + 1.5), 5);
    await program.release();
  });
});

describe("openEvaluator", { timeout: 60_000 }, () => {
  it("measures the same whatever the images at once, and by the running statistics", async () => {
    const weights = initialise(RESNET, key(4));
    const { images, labels } = batchOf(8, [0, 1, 2, 2, 1, 0, 1], 9);
    const take = async (from: number, to: number) => ({
      images: float32([to - from, 1, 8, 8], images.data.slice(from * 64, to * 64)),
      labels: labels.slice(from, to),
    });
    const at = async (batchSize: number, w = weights) => {
      const evaluator = await openEvaluator({ model: RESNET, batchSize });
      const found = await evaluator.evaluate(w, 7, take);
      await evaluator.release();
      return found;
    };
    const [some, all] = [await at(3), await at(7)];
    expect(some.correct).toBe(all.correct);
    expect(some.loss).toBeCloseTo(all.loss, 6);
    expect(all.accuracy).toBe(all.correct / 7);
    const sent = await clientGradientStep({ model: RESNET, weights, images, labels, mode: "eval" });
    expect(all.loss).toBeCloseTo(sent.loss, 5);
    const buffers = { ...weights.buffers, "bn1.running_var": float32([2], [4, 9]) };
    expect((await at(7, { ...weights, buffers })).loss).not.toBeCloseTo(all.loss, 4);
  });
});

describe("batchOrder", () => {
  const order = batchOrder({ count: 10, batchSize: 3, key: split(key(1), "batches") });

  it("takes each image at most once an epoch, in another order each time", () => {
    const epoch = (e: number) => [0, 1, 2].flatMap((i) => order(3 * e + i));
    for (const e of [0, 1]) expect(new Set(epoch(e)).size).toBe(9);
    expect(epoch(0)).not.toEqual(epoch(1));
    expect(Math.max(...epoch(0), ...epoch(1))).toBeLessThan(10);
  });

  it("is a function of the step, whatever was asked before", () => {
    const again = batchOrder({ count: 10, batchSize: 3, key: split(key(1), "batches") });
    expect(again(7)).toEqual(order(7));
    expect(order(1)).toEqual(again(1));
  });

  it("refuses a batch larger than the set", () => {
    expect(() => batchOrder({ count: 2, batchSize: 3, key: key(1) })).toThrow(
      "from 1 to 2, the number of images; got 3",
    );
  });
});
