import fc from "fast-check";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import {
  abs,
  add,
  avgPool,
  batchNorm,
  broadcastTo,
  concat,
  constantOf,
  crossEntropy,
  div,
  erf,
  exp,
  floor,
  gelu,
  grad,
  greater,
  input,
  leakyRelu,
  log,
  logSoftmax,
  logSumExp,
  matmul,
  max,
  maximum,
  maxPool,
  mean,
  minimum,
  mul,
  type Node,
  narrow,
  neg,
  pad,
  pow,
  relu,
  reshape,
  resizeBicubic,
  resizeNearest,
  scalar,
  sigmoid,
  silu,
  slice,
  softmax,
  softplus,
  sqrt,
  square,
  sub,
  swapLast,
  tanh,
  transpose,
  variance,
  where,
} from "../../src/graph/index.ts";
import {
  batchNormLayer,
  convLayer,
  defineModel,
  initialise,
  inputsFor,
  layerNormLayer,
  type Model,
  type Scope,
  transposedConvLayer,
} from "../../src/nn/index.ts";
import { exportOnnx, importOnnx } from "../../src/onnx/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import { float32, type Tensors } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";

const RUNS = Number(process.env.FEDLEAK_FUZZ_RUNS ?? 40);
const [C, SIDE, CLASSES, BATCH] = [2, 6, 3, 2] as const;
const keep = { keepDims: true };

/** What a random network does to images [B,C,H,W] of at least two channels; `n` chooses among variants. */
const STEPS: Readonly<Record<string, (net: Scope, x: Node, n: number) => Node>> = {
  conv: (net, x, n) =>
    convLayer(net, x, { channels: 2 + (n % 3), kernel: 1 + (n % 3), stride: 1 + (n % 2), padding: 2, bias: n % 4 > 0 }),
  depthwise: (net, x) => convLayer(net, x, { channels: x.shape[1]!, kernel: 3, padding: 1, groups: x.shape[1]! }),
  transposed: (net, x, n) =>
    transposedConvLayer(net, x, { channels: 2, kernel: 3, stride: 1 + (n % 2), padding: n % 2 }),
  batchNorm: (net, x) => batchNormLayer(net, x),
  layerNorm: (net, x) => (x.shape[3]! > 1 ? layerNormLayer(net, x, 1e-6) : x),
  byStatistics: (_, x) => {
    const c = x.shape[1]!;
    const [one, two] = [
      constantOf([c], new Array(c).fill(0.3)),
      constantOf(
        [c],
        Array.from({ length: c }, (_, i) => i + 0.7),
      ),
    ];
    return batchNorm(x, two, one, { mean: one, variance: two }, 1e-3);
  },
  activation: (_, x, n) =>
    [
      relu,
      sigmoid,
      tanh,
      erf,
      gelu,
      silu,
      softplus,
      abs,
      (v: Node) => leakyRelu(v, 0.2),
      (v: Node) => minimum(relu(v), 6),
    ][n % 10]!(x),
  curve: (_, x, n) =>
    [
      (v: Node) => exp(mul(tanh(v), 0.7)),
      (v: Node) => log(add(square(v), 0.1)),
      (v: Node) => sqrt(add(square(v), 1)),
      (v: Node) => div(v, add(square(v), 1.1)),
      (v: Node) => pow(add(square(v), 0.5), 1.5),
      (v: Node) => sub(v, mul(floor(mul(v, 0.3)), 0.9)),
      neg,
    ][n % 7]!(x),
  pool: (_, x, n) => {
    if (x.shape[2]! < 3 || x.shape[3]! < 3) return x;
    if (n % 3 === 0) return maxPool(x, { kernel: [3, 3], stride: [2, 2], padding: [1, 1] });
    return avgPool(x, [2, 2], n % 3 === 1 ? [2, 2] : [1, 1]);
  },
  resize: (_, x, n) => {
    if (x.shape[2]! * x.shape[3]! > 80) return x;
    return n % 2 === 0 ? resizeNearest(x, 2) : resizeBicubic(x, [x.shape[2]! + 1, x.shape[3]! + 2]);
  },
  normalise: (_, x, n) => [softmax, logSoftmax][n % 2]!(x, 1 + (n % 3)),
  spread: (_, x, n) => add(x, broadcastTo(logSumExp(x, 1 + (n % 3)), x.shape)),
  centred: (_, x, n) => {
    const axes = [[1], [2, 3], [1, 2, 3]][n % 3]!;
    return n % 2 === 0 ? sub(x, mean(x, axes, keep)) : div(x, sqrt(add(variance(x, axes, keep), 0.01)));
  },
  peaks: (_, x, n) => sub(x, max(x, [1 + (n % 3)], keep)),
  parts: (_, x, n) => (x.shape[2]! < 3 ? x : n % 2 === 0 ? narrow(x, 2, 1, x.shape[2]! - 1) : strided(x)),
  around: (_, x, n) => pad(x, [0, 0, n % 2, 1], [0, 0, 1, n % 3]),
  beside: (_, x, n) => (x.shape[1]! > 6 ? x : concat([x, mul(x, 0.1 * n)], 1 + (n % 3))),
  turned: (_, x) => transpose(x, [0, 1, 3, 2]),
  product: (_, x) => mul(matmul(x, swapLast(x)), 1 / 7),
  chosen: (_, x, n) => where(greater(x, 0.01 * n), x, mul(square(x), 0.3)),
  fixed: (_, x, n) => {
    const values = Array.from({ length: x.shape[3]! }, (_, i) => Math.sin(i + n));
    const table = constantOf([1, 1, 1, x.shape[3]!], values);
    return [add, mul, maximum, minimum][n % 4]!(x, table);
  },
  trained: (net, x) =>
    mul(
      x,
      net.param("scale", [1, x.shape[1]!, 1, 1], (shape, k) => float32(shape, normal(k, x.shape[1]!))),
    ),
  token: (net, x) => {
    const [b, c, , w] = x.shape as [number, number, number, number];
    const row = net.param("token", [1, c, 1, w], (shape, k) => float32(shape, normal(k, c * w)));
    return c * w > 1 ? concat([broadcastTo(row, [b, c, 1, w]), x], 2) : x;
  },
  merged: (_, x) => {
    const [b, c, h, w] = x.shape as [number, number, number, number];
    return reshape(tanh(reshape(x, [b * c, h * w])), [b, c, h, w]);
  },
  splat: (_, x) => add(x, broadcastTo(scalar(1 / 3), x.shape)),
};

const strided = (x: Node) => {
  const [b, c, h, w] = x.shape as [number, number, number, number];
  return slice(x, [0, 0, 1, 0], [b, c, Math.floor(h / 2), w], [1, 1, 2, 1]);
};

type Recipe = readonly (readonly [step: string, n: number])[];

const recipes: fc.Arbitrary<Recipe> = fc.array(fc.tuple(fc.constantFrom(...Object.keys(STEPS)), fc.nat(11)), {
  minLength: 1,
  maxLength: 6,
});

/** A convolution first: what scales the images before any layer counts as fixed. */
function modelOf(recipe: Recipe): Model {
  const features = (net: Scope, x: Node) => {
    const first = convLayer(net.at("first"), x, { channels: 3, kernel: 3, padding: 1 });
    const last = recipe.reduce((h, [step, n], i) => STEPS[step]!(net.at(`step${i}`), h, n), first);
    return reshape(last, [x.shape[0]!, -1]);
  };
  return defineModel({
    name: "random",
    options: {},
    inputShape: [C, SIDE, SIDE],
    classes: CLASSES,
    head: "fc",
    features,
  });
}

const images = float32([BATCH, C, SIDE, SIDE], normal(key(3), BATCH * C * SIDE * SIDE));

/** Logits, loss and all gradients, by name, in float64. */
function outcome(model: Model, weights: Tensors): Tensors {
  const params = inputsFor(model.params, "");
  const x = input("x", images.shape);
  const { logits } = model.forward({ params, buffers: inputsFor(model.buffers, ""), x, mode: "eval" });
  const target = constantOf([BATCH, CLASSES], [1, 0, 0, 0, 0, 1]);
  const loss = crossEntropy(logits, target);
  const names = Object.keys(params).sort();
  const gradients = grad(loss, [x, ...names.map((name) => params[name]!)]);
  const named = Object.fromEntries(gradients.map((g, i) => [i === 0 ? "by x" : `by ${names[i - 1]}`, g]));
  return evaluate({ logits, loss, ...named }, { ...weights, x: images });
}

test("random networks of our verbs, exported and imported, give identical values and gradients", {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(recipes, fc.constantFrom(13, 17, 18, 20, 22), async (recipe, opset) => {
      const model = modelOf(recipe);
      const weights = initialise(model, key(11));
      const own = { ...weights.params, ...weights.buffers };
      const bytes = exportOnnx(model, weights, { opset });
      const imported = importOnnx(bytes);
      const [ours, theirs] = [
        outcome(model, own),
        outcome(imported.model, { ...imported.weights.params, ...imported.weights.buffers }),
      ];
      expect(Object.keys(theirs)).toEqual(Object.keys(ours));
      for (const [name, t] of Object.entries(ours)) expect(theirs[name], name).toEqual(t);
      await expectNear(bytes, ours.logits!.data as Float64Array);
    }),
    { numRuns: RUNS, seed: 5 },
  );
});

const NEAR = 1e-3; // of the largest logit: float32 against float64 through powers and quotients

async function expectNear(bytes: Uint8Array, logits: Float64Array): Promise<void> {
  const session = await InferenceSession.create(bytes, { graphOptimizationLevel: "disabled", logSeverityLevel: 3 });
  const run = await session.run({ images: new OrtTensor("float32", images.data, images.shape) });
  await session.release();
  const scale = Math.max(1, ...logits.map(Math.abs));
  logits.forEach((v, i) => {
    expect(Math.abs(Number(run.logits!.data[i]) - v)).toBeLessThan(NEAR * scale);
  });
}
