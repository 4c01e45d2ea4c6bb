import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { clientGradientStep, movedStatistics } from "../../src/fl/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { float32, numbers, readSafetensors, type Tensor, type Tensors } from "../../src/tensor/index.ts";
import { key, uniform } from "../../src/util/index.ts";
import { requireShared } from "../shared.ts";

const MLP = { inputShape: [1, 4, 4], classes: 3, hidden: 8 } as const;
const RESNET = { inputShape: [1, 8, 8], classes: 3, width: 2 } as const;

const imagesOf = (shape: readonly number[], seed = 1) =>
  float32(
    shape,
    uniform(
      key(seed),
      shape.reduce((a, b) => a * b),
    ),
  );

describe("clientGradientStep", () => {
  it("gives PyTorch's gradients on the golden networks", { timeout: 20_000 }, async (context) => {
    for (const [file, options] of [
      ["lenet-sigmoid", {}],
      ["resnet10-train", { width: 8 }],
      ["resnet10-eval", { width: 8 }],
    ] as const) {
      const golden = readSafetensors(readFileSync(requireShared(context, `golden/${file}.safetensors`)), file).tensors;
      const part = (prefix: string) =>
        Object.fromEntries(
          Object.entries(golden)
            .filter(([name]) => name.startsWith(prefix))
            .map(([name, t]) => [name.slice(prefix.length), t]),
        ) as Tensors<"float32">;
      const images = golden.x as Tensor<"float32">;
      const [, c, h, w] = images.shape as [number, number, number, number];
      const name = file.startsWith("resnet10") ? "resnet10" : file;
      const sent = await clientGradientStep({
        model: buildModel(name, { ...options, inputShape: [c, h, w], classes: 10 }),
        weights: { params: part("param."), buffers: part("buffer.") },
        images,
        labels: Array.from(numbers(golden.y!)),
        mode: file.endsWith("eval") ? "eval" : "train",
      });
      expect(sent.loss).toBeCloseTo(Number(golden.loss!.data[0]), 5); // float32 against float64
      for (const [parameter, expected] of Object.entries(part("grad."))) {
        expect(relativeError(sent.update[parameter]!, expected)).toBeLessThan(1e-4); // float32 through up to 12 layers
      }
    }
  });

  it("has a mean gradient: that of two images is the mean of theirs", async () => {
    const model = buildModel("mlp3", MLP);
    const weights = initialise(model, key(2));
    const images = imagesOf([2, 1, 4, 4]);
    const step = (from: number, to: number, labels: number[]) =>
      clientGradientStep({
        model,
        weights,
        images: float32([to - from, 1, 4, 4], images.data.slice(from * 16, to * 16)),
        labels,
        mode: "eval",
      });
    const [both, first, second] = [await step(0, 2, [2, 0]), await step(0, 1, [2]), await step(1, 2, [0])];
    for (const { name } of model.params) {
      const mean = first.update[name]!.data.map((v, i) => (v + second.update[name]!.data[i]!) / 2);
      expect(relativeError(both.update[name]!, float32(both.update[name]!.shape, mean))).toBeLessThan(1e-5);
    }
  });

  it("reports statistics and moves running ones in train mode only", async () => {
    const model = buildModel("resnet10", RESNET);
    const weights = initialise(model, key(3));
    const common = { model, weights, images: imagesOf([2, 1, 8, 8]), labels: [0, 1] };
    const trained = await clientGradientStep({ ...common, mode: "train" });
    const evaluated = await clientGradientStep({ ...common, mode: "eval" });
    expect(Object.keys(trained.statistics)).toContain("bn1");
    expect(trained.statistics.bn1!.mean.shape).toEqual([2]);
    const n = 2 * 8 * 8;
    trained.statistics.bn1!.variance.data.forEach((v, c) => {
      expect(trained.buffers["bn1.running_var"]!.data[c]).toBeCloseTo(0.9 + (0.1 * v * n) / (n - 1), 6);
    });
    expect(evaluated.statistics).toEqual({});
    expect(evaluated.buffers).toEqual(weights.buffers);
    expect(relativeError(trained.update["conv1.weight"]!, evaluated.update["conv1.weight"]!)).toBeGreaterThan(0.01);
  });

  it("complains about labels that do not fit", async () => {
    const model = buildModel("mlp3", MLP);
    const common = { model, weights: initialise(model, key(2)), images: imagesOf([2, 1, 4, 4]), mode: "eval" as const };
    await expect(clientGradientStep({ ...common, labels: [1] })).rejects.toThrow("one label an image");
    await expect(clientGradientStep({ ...common, labels: [1, 3] })).rejects.toThrow(
      "client: labels must be integers in 0 … 2, the classes of model mlp3; got 3",
    );
  });
});

describe("movedStatistics", () => {
  it("is PyTorch's rule: momentum 0.1, unbiased variance", () => {
    const vector = (...values: number[]) => float32([values.length], values);
    const moved = movedStatistics(
      { "bn.running_mean": vector(1, 2), "bn.running_var": vector(1, 4), other: vector(7) },
      { bn: { mean: vector(3, -2), variance: vector(2, 0) } },
      { bn: 5 },
    );
    expect(Array.from(moved["bn.running_mean"]!.data, (v) => Math.fround(v))).toEqual([1.2, 1.6].map(Math.fround));
    expect(Array.from(moved["bn.running_var"]!.data)).toEqual([0.9 + (0.1 * 2 * 5) / 4, 3.6].map(Math.fround));
    expect(Array.from(moved.other!.data)).toEqual([7]);
  });
});

/** ‖a − b‖/‖b‖, or ‖a‖ where b is zero. */
function relativeError(a: Tensor, b: Tensor): number {
  const [x, y] = [numbers(a), numbers(b)];
  const norm = Math.hypot(...y);
  return Math.hypot(...x.map((v, i) => v - y[i]!)) / (norm || 1);
}
