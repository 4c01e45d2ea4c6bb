import { describe, expect, it } from "vitest";
import { chain, link } from "../../src/defences/index.ts";
import { clientGradientStep, clientUpdate, observe, stepShares, type Weights } from "../../src/fl/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { float32, type Tensor, type Tensors } from "../../src/tensor/index.ts";
import { key, uniform } from "../../src/util/index.ts";

const MLP = buildModel("mlp3", { inputShape: [1, 4, 4], classes: 3, hidden: 8 });
const RESNET = buildModel("resnet10", { inputShape: [1, 8, 8], classes: 3, width: 2 });
const LABELS = [2, 0, 1, 1, 0, 2];
const RATE = 0.1;

const batchOf = (side: number, count = LABELS.length) => ({
  images: float32([count, 1, side, side], uniform(key(4), count * side * side)),
  labels: LABELS.slice(0, count),
});
const part = ({ shape, data }: Tensor<"float32">, from: number, to: number) => {
  const size = data.length / shape[0]!;
  return float32([to - from, ...shape.slice(1)], data.slice(from * size, to * size));
};
/** The greatest difference of equally named tensors. */
const distance = (a: Tensors<"float32">, b: Tensors<"float32">) =>
  Math.max(...Object.entries(a).flatMap(([name, t]) => Array.from(t.data, (v, i) => Math.abs(v - b[name]!.data[i]!))));

/** The same local training by hand: a gradient at a time, the step in float64. */
async function byHand(
  model: typeof MLP,
  mode: "train" | "eval",
  { images, labels }: ReturnType<typeof batchOf>,
  steps: number,
) {
  const size = labels.length / steps;
  let weights: Weights = initialise(model, key(2));
  const gradients: Tensors<"float32">[] = [];
  const means: Float32Array[] = [];
  for (let s = 0; s < steps; s++) {
    const [from, to] = [s * size, (s + 1) * size];
    const batch = { images: part(images, from, to), labels: labels.slice(from, to) };
    const { update, buffers, statistics } = await clientGradientStep({ model, weights, mode, ...batch, threads: 1 });
    gradients.push(update);
    if (statistics.bn1) means.push(statistics.bn1.mean.data);
    const params = Object.fromEntries(
      Object.entries(weights.params).map(([name, t]) => [
        name,
        float32(
          t.shape,
          t.data.map((w, i) => w - RATE * update[name]!.data[i]!),
        ),
      ]),
    );
    weights = { params, buffers };
  }
  return { gradients, weights, means };
}

describe("clientUpdate", () => {
  it("is the client's gradient, bit for bit, where it takes one step", async () => {
    const step = {
      model: RESNET,
      weights: initialise(RESNET, key(2)),
      mode: "train" as const,
      ...batchOf(8),
      threads: 1,
    };
    const plain = await clientGradientStep(step);
    expect(await clientUpdate(step)).toEqual(plain);
    expect(await clientUpdate({ ...step, local: { steps: 1, learningRate: RATE } })).toEqual(plain);
  });

  it.each([
    ["mlp3", MLP, "eval", 4, 3],
    ["resnet10", RESNET, "train", 8, 2],
  ] as const)(
    "sends the mean of the steps' gradients, each at weights of its own: %s",
    async (_, model, mode, side, steps) => {
      const batch = batchOf(side);
      const { gradients, weights, means } = await byHand(model, mode, batch, steps);
      const sent = await clientUpdate({
        ...{ model, mode, weights: initialise(model, key(2)), threads: 1 },
        ...batch,
        local: { steps, learningRate: RATE },
      });
      const mean = Object.fromEntries(
        Object.entries(gradients[0]!).map(([name, t]) => [
          name,
          float32(
            t.shape,
            t.data.map((_, i) => gradients.reduce((sum, g) => sum + g[name]!.data[i]! / steps, 0)),
          ),
        ]),
      );
      // Weights below 2 in float32 are off by 2⁻²⁴ a step, the estimate by that over the learning rate.
      const rounding = (2 * 2 ** -24) / RATE;
      expect(distance(sent.update, mean)).toBeLessThan(4 * rounding);
      expect(distance(gradients[0]!, mean)).toBeGreaterThan(1000 * rounding); // so the steps' gradients do differ
      expect(distance(sent.buffers, weights.buffers)).toBeLessThan(1e-5); // float32
      expect(sent).toMatchObject({ batchSize: 6, labels: LABELS, local: { steps, learningRate: RATE } });
      const seen = sent.statistics.bn1?.mean.data ?? new Float32Array();
      expect(seen.length).toBe(mode === "train" ? 2 : 0);
      const shares = stepShares(steps);
      seen.forEach((v, c) => {
        expect(v).toBeCloseTo(
          means.reduce((sum, m, s) => sum + shares[s]! * m[c]!, 0),
          5,
        ); // float32, over 1 − 0.9²
      });
    },
  );

  it("tells the schedule where that is granted, and never the order of the images", async () => {
    const sent = await clientUpdate({
      ...{ model: MLP, mode: "eval", weights: initialise(MLP, key(2)), threads: 1 },
      ...batchOf(4),
      local: { steps: 2, learningRate: RATE },
    });
    expect(observe(sent, ["batch-size"])).not.toHaveProperty("local");
    expect(observe(sent, ["local-schedule"]).local).toEqual({ steps: 2, learningRate: RATE });
    expect(observe(sent, ["batch-size", "labels"])).toMatchObject({ batchSize: 6, labels: [0, 0, 1, 1, 2, 2] });
  });

  it("refuses steps that do not divide the images, and says when training does not stay finite", async () => {
    const step = { model: MLP, mode: "eval" as const, weights: initialise(MLP, key(2)), threads: 1 };
    const local = { steps: 2, learningRate: RATE };
    await expect(clientUpdate({ ...step, ...batchOf(4, 3), local })).rejects.toThrow(/shared evenly.*got 2 steps/);
    await expect(clientUpdate({ ...step, ...batchOf(4), local: { steps: 2, learningRate: 1e38 } })).rejects.toThrow(
      /finite during local training; got NaN or infinity in step 1 of 2/,
    );
  });
});

describe("defences of an update of several steps", () => {
  const step = { model: MLP, mode: "eval" as const, weights: initialise(MLP, key(2)), threads: 1, ...batchOf(4) };
  const local = { steps: 3, learningRate: RATE };

  it("act on the mean gradient", async () => {
    const plain = await clientUpdate({ ...step, local });
    const defended = await chain(link("sign", {}))({ ...step, local }, key(1));
    expect(distance(await chain()({ ...step, local }, key(1)).then(({ update }) => update), plain.update)).toBe(0);
    expect(distance(defended.update, plain.update)).toBeGreaterThan(1e-3);
  });

  it("are refused where they need each image's own gradient", async () => {
    await expect(chain(link("dp-sgd", { epsilon: 5 }))({ ...step, local }, key(1))).rejects.toThrow(
      /sends one gradient; got 3 local steps/,
    );
  });
});
