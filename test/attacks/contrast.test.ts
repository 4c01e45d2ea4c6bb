import { describe, expect, it } from "vitest";
import { contrastHidden, STRETCHED } from "../../src/attacks/contrast.ts";
import { finisher, stretched } from "../../src/attacks/postprocess.ts";
import { clientGradientStep } from "../../src/fl/index.ts";
import { buildModel } from "../../src/models/index.ts";
import type { Mode } from "../../src/nn/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { importOnnx } from "../../src/onnx/index.ts";
import { float32, type Tensor, type Tensors } from "../../src/tensor/index.ts";
import { key, uniform } from "../../src/util/index.ts";
import { CLASSIFIER, classifierFile } from "../onnx/classifier.ts";
import { randomOf } from "../onnx/file-of.ts";
import { attackOn, observed, resNetCase } from "./tiny.ts";

const SHAPE = [2, 1, 8, 8];
const IMAGES = float32(SHAPE, uniform(key(1), 128));
const scaled = ({ shape, data }: Tensor<"float32">, scale: number, offset = 0) =>
  float32(
    shape,
    data.map((v) => scale * v + offset),
  );

async function update(images: Tensor<"float32">, mode: Mode): Promise<Tensors<"float32">> {
  const model = buildModel("resnet10", { inputShape: [1, 8, 8], classes: 3, width: 4 });
  const sent = await clientGradientStep({
    ...{ model, weights: initialise(model, key(2)), images, labels: [0, 2], mode },
  });
  return sent.update;
}

/** ‖a − b‖ / ‖b‖ over all tensors. */
function apart(a: Tensors<"float32">, b: Tensors<"float32">): number {
  const squares = (pick: (name: string, i: number) => number) =>
    Object.keys(b).reduce((sum, name) => sum + b[name]!.data.reduce((s, _, i) => s + pick(name, i) ** 2, 0), 0);
  return Math.sqrt(squares((n, i) => a[n]!.data[i]! - b[n]!.data[i]!) / squares((n, i) => b[n]!.data[i]!));
}

describe("what BatchNorm hides", () => {
  it("halving a batch's contrast leaves the update as it was, by the batch's statistics alone", async () => {
    const [whole, half] = [scaled(IMAGES, 20), scaled(IMAGES, 10)]; // so bright that BatchNorm's ε plays no part
    expect(apart(await update(half, "train"), await update(whole, "train"))).toBeLessThan(1e-3); // float32
    expect(apart(await update(half, "eval"), await update(whole, "eval"))).toBeGreaterThan(0.1);
    const other = scaled(float32(SHAPE, uniform(key(3), 128)), 20);
    expect(apart(await update(other, "train"), await update(whole, "train"))).toBeGreaterThan(0.1);
  });
});

describe("whether stretch acts", () => {
  const [CONV, NORM, RELU, ...REST] = CLASSIFIER.nodes;
  /** The classifier with a biased convolution, and its nonlinearity before or after BatchNorm. */
  const biased = (reluFirst: boolean, bias: (v: number) => number) => {
    const conv = { ...CONV!, inputs: [...CONV!.inputs, "conv.bias"] };
    const through = (node: typeof CONV, from: string, to: string) => {
      return { ...node!, inputs: [from, ...node!.inputs.slice(1)], outputs: [to] };
    };
    const middle = reluFirst
      ? [through(RELU, "c", "n"), through(NORM, "n", "r")]
      : [through(NORM, "c", "n"), through(RELU, "n", "r")];
    const initializers = { ...CLASSIFIER.initializers, "conv.bias": randomOf("cb", [4], bias) };
    return importOnnx(classifierFile({ initializers, nodes: [conv, ...middle, ...REST] }));
  };
  const hides = ({ model, weights }: ReturnType<typeof biased>, mode: Mode = "train") => {
    const settings = { stretch: true, bnPrior: 0 };
    return contrastHidden({
      model,
      mode,
      observation: { global: weights },
      settings,
      key: key(4),
      options: { threads: 1 },
    });
  };

  it("is found out on the model: not where a biased nonlinearity stands before the first BatchNorm", async () => {
    expect(await hides(biased(false, (v) => v))).toBe(true); // BatchNorm takes the bias away
    expect(
      await hides(
        biased(false, (v) => v),
        "eval",
      ),
    ).toBe(false);
    expect(await hides(biased(true, (v) => v))).toBe(false);
    expect(await hides(biased(true, () => 0))).toBe(false); // the bias's gradient tells the contrast: it grows with 1/a
  });

  it("is told by granted statistics, where they are matched, and said in the ledger where it does", async () => {
    const of = resNetCase([1, 3]);
    const granted = await observed(of, ["batch-size", "labels", "bn-statistics"]);
    const { defences: _, statistics: __, ...blind } = granted;
    const finished = async (observation: typeof granted, overrides: Record<string, number | boolean>) => {
      const run = await attackOn(
        of,
        "dlg",
        { init: "uniform", stretch: true, iterations: 1, ...overrides },
        { observation },
      );
      const images = await run.reconstruct(run.initial);
      await run.release();
      const spans = Math.min(...images.data) === 0 && Math.max(...images.data) === 1;
      return { spans, contrast: run.ledger.contrast };
    };
    const acted = { spans: true, contrast: STRETCHED };
    const left = { spans: false, contrast: undefined };
    expect(await finished(granted, { bnPrior: 0.1 })).toEqual(left);
    expect(await finished(granted, { bnPrior: 0 })).toEqual(acted);
    expect(await finished(blind, { bnPrior: 0.1 })).toEqual(acted);
    expect(await finished(blind, { stretch: false })).toEqual(left);
  });
});

describe("stretched", () => {
  it("undoes any scale and offset of a batch that holds a black and a white value", () => {
    const batch = float32([1, 1, 2, 3], [0, 0.2, 0.4, 0.5, 0.9, 1]);
    const found = stretched(scaled(batch, 0.7, 0.1));
    for (const [i, v] of found.data.entries()) expect(v).toBeCloseTo(batch.data[i]!, 6);
  });

  it("is not led by a few outliers, and leaves a flat batch", () => {
    const data = Float32Array.from({ length: 10_000 }, (_, i) => i / 9999);
    data[0] = -50;
    expect(stretched(float32([1, 1, 100, 100], data)).data[5000]).toBeCloseTo(0.5, 3);
    expect(stretched(float32([1, 1, 1, 2], [0.3, 0.3])).data).toEqual(Float32Array.of(0.3, 0.3));
  });

  it("acts where it is asked for and the contrast is hidden, and nowhere else", async () => {
    const dull = scaled(IMAGES, 0.5, 0.2);
    const finished = async (stretch: boolean, contrastHidden: boolean) => {
      const place = { shape: SHAPE, prior: undefined, options: {}, contrastHidden };
      const finish = finisher({ stretch, restore: false, medianFilter: 0, medianFilterFrom: 64 }, place);
      return (await finish.images(dull)).data;
    };
    expect(await finished(true, true)).not.toEqual(dull.data);
    for (const [stretch, hidden] of [
      [true, false],
      [false, true],
    ] as const)
      expect(await finished(stretch, hidden)).toEqual(dull.data);
  });
});
