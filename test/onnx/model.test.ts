import { describe, expect, test } from "vitest";
import { grad, input, sum } from "../../src/graph/index.ts";
import { initialise, inputsFor, type Mode } from "../../src/nn/index.ts";
import { importGenerator, importOnnx, type OnnxModel } from "../../src/onnx/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import { float32, numbers, type Tensor } from "../../src/tensor/index.ts";
import { key } from "../../src/util/index.ts";
import { CLASSIFIER, classifierFile } from "./classifier.ts";
import { type FileOf, fileOf, ints, randomOf } from "./file-of.ts";

/** What the model makes of images, in float64. */
function outcome({ model, weights }: OnnxModel, x: Tensor, mode: Mode = "eval") {
  const params = inputsFor(model.params, "p.");
  const made = model.forward({ params, buffers: inputsFor(model.buffers, "b."), x: input("x", x.shape), mode });
  const prefixed = (prefix: string, tensors: Record<string, Tensor>) =>
    Object.entries(tensors).map(([name, t]) => [prefix + name, t] as const);
  const feeds = Object.fromEntries([
    ...prefixed("p.", weights.params),
    ...prefixed("b.", weights.buffers),
    ["x", x] as const,
  ]);
  const of = (name: keyof typeof made & ("logits" | "features")) => evaluate({ y: made[name] }, feeds).y!;
  return { made, params, feeds, logits: of("logits"), features: of("features") };
}

const images = randomOf("images", [3, 3, 8, 8]);
const gemm = (from: string, to: string, weight = "w", bias = "b", transB = 1) => ({
  type: "Gemm",
  inputs: bias === "" ? [from, weight] : [from, weight, bias],
  outputs: [to],
  attributes: { transB },
});

describe("a classifier", () => {
  test("has the file's tensors as parameters, running statistics as buffers, and the file's numbers", () => {
    const { model, weights, mode, notes, opset, producer } = importOnnx(classifierFile());
    expect(model.params.map(({ name }) => name)).toEqual([
      "conv.weight",
      "bn.weight",
      "bn.bias",
      "fc.weight",
      "fc.bias",
    ]);
    expect(model.buffers.map(({ name }) => name)).toEqual(["bn.running_mean", "bn.running_var"]);
    expect(model.head).toEqual({ weight: "fc.weight", bias: "fc.bias" });
    expect([model.inputShape, model.classes, mode, notes, opset, producer]).toEqual([
      [3, 8, 8],
      4,
      "eval",
      [],
      17,
      "test",
    ]);
    expect(weights.params["conv.weight"]!.data).toEqual(CLASSIFIER.initializers!["conv.weight"]!.data);
    expect(initialise(model, key(1)).params).toEqual(weights.params);
  });

  test("logits are the head of the features; one activation; any batch size", () => {
    const imported = importOnnx(classifierFile());
    const { made, logits, features } = outcome(imported, images);
    expect([logits.shape, features.shape]).toEqual([
      [3, 4],
      [3, 16],
    ]);
    const { "fc.weight": w, "fc.bias": b } = imported.weights.params;
    const again = Array.from({ length: 12 }, (_, i) => {
      const [row, n] = [Math.floor(i / 4), i % 4];
      let total = b!.data[n]!;
      for (let d = 0; d < 16; d++) total += features.data[row * 16 + d]! * w!.data[n * 16 + d]!;
      return total;
    });
    logits.data.forEach((v, i) => {
      expect(v).toBeCloseTo(again[i]!, 10);
    });
    expect(made.activations.map(({ shape }) => shape)).toEqual([[3, 4, 4, 4]]);
    expect(outcome(imported, randomOf("more", [5, 3, 8, 8])).logits.shape).toEqual([5, 4]);
    expect(() => outcome(imported, randomOf("large", [5, 3, 9, 9]))).toThrow(
      "model model: x must be [B,3,8,8]; got float[5,3,9,9]",
    );
  });

  test("in train mode BatchNorm normalises by the batch and says what it saw", () => {
    const imported = importOnnx(classifierFile());
    const [trained, evaluated] = [outcome(imported, images, "train"), outcome(imported, images)];
    expect(trained.logits.data).not.toEqual(evaluated.logits.data);
    expect(evaluated.made.statistics).toEqual({});
    const { bn } = trained.made.statistics;
    expect([bn!.count, bn!.mean.shape]).toEqual([48, [4]]);
    const [alone] = [outcome(imported, float32([1, 3, 8, 8], images.data.subarray(0, 192)), "eval").logits];
    expect([...alone.data]).toEqual([...evaluated.logits.data.subarray(0, 4)]);
  });

  test("the mode is the file's, unless told", () => {
    const nodes = CLASSIFIER.nodes.map((node) =>
      node.type === "BatchNormalization" ? { ...node, outputs: ["n", "", ""], attributes: { training_mode: 1 } } : node,
    );
    expect(importOnnx(classifierFile({ nodes })).mode).toBe("train");
    expect(importOnnx(classifierFile({ nodes }), { mode: "eval" }).mode).toBe("eval");
  });

  test("tensors that an exporter stored once are parameters of their own", () => {
    const nodes = [
      { type: "Identity", inputs: ["fc.bias"], outputs: ["bn.bias"] },
      { type: "Identity", inputs: ["fc.bias"], outputs: ["bn.running_mean"] },
      ...CLASSIFIER.nodes,
    ];
    const { "bn.bias": _, "bn.running_mean": __, ...initializers } = CLASSIFIER.initializers!;
    const { model } = importOnnx(classifierFile({ nodes, initializers }));
    expect(model.params.map(({ name }) => name)).toContain("bn.bias");
    expect(model.buffers.map(({ name }) => name)).toContain("bn.running_mean");
  });

  test("frozen tensors, and what scales the images, are no parameters", () => {
    const initializers = { ...CLASSIFIER.initializers!, mean: randomOf("mean", [1, 3, 1, 1]) };
    const nodes = [
      { type: "Sub", inputs: ["x", "mean"], outputs: ["s"] },
      ...CLASSIFIER.nodes.map((node) => ({ ...node, inputs: node.inputs.map((name) => (name === "x" ? "s" : name)) })),
    ];
    const { model } = importOnnx(classifierFile({ nodes, initializers }), { frozen: ["conv.weight"] });
    expect(model.params.map(({ name }) => name)).toEqual(["bn.weight", "bn.bias", "fc.weight", "fc.bias"]);
  });
});

describe("forms of other exporters", () => {
  const w = randomOf("w", [6, 4]);
  const mlp = { inputs: { x: ["N", 6] }, outputs: ["y"], initializers: { w, b: randomOf("b", [4]) } };

  test("a table, a weight as [D,N] with a bias added, and a softmax: as Keras and scikit-learn write them", () => {
    const nodes = [
      { type: "MatMul", inputs: ["x", "w"], outputs: ["m"] },
      { type: "Add", inputs: ["m", "b"], outputs: ["z"] },
      { type: "Softmax", inputs: ["z"], outputs: ["y"] },
    ];
    const imported = importOnnx(fileOf({ ...mlp, nodes }));
    const { model, weights, notes } = imported;
    expect([model.inputShape, model.classes, model.head]).toEqual([[1, 1, 6], 4, { weight: "w", bias: "b" }]);
    expect(weights.params.w!.shape).toEqual([4, 6]);
    expect(weights.params.w!.data[1]).toBe(w.data[4]);
    expect(notes).toEqual(["Its Softmax is left away: the loss is the cross-entropy of the logits before it."]);
    const x = randomOf("x", [2, 1, 1, 6]);
    let first = mlp.initializers.b.data[0]!;
    for (let d = 0; d < 6; d++) first += x.data[d]! * w.data[d * 4]!;
    expect(outcome(imported, x).logits.data[0]).toBeCloseTo(first, 10);
    const captured = imported.fromFile({ w, other: w });
    expect(captured).toEqual({ w: weights.params.w });
  });

  test("scikit-learn's linear classifier, its labels and its map of probabilities", () => {
    const attributes = {
      coefficients: { floats: [1, 2, 3, 4, 5, 6] },
      intercepts: { floats: [1, 2, 3] },
      post_transform: "SOFTMAX",
    };
    const classifier = {
      type: "LinearClassifier",
      domain: "ai.onnx.ml",
      inputs: ["x"],
      outputs: ["label", "p"],
      attributes,
    };
    const map = { type: "ZipMap", domain: "ai.onnx.ml", inputs: ["p"], outputs: ["y"] };
    const file = { inputs: { x: ["N", 2] }, outputs: ["label", "y"], nodes: [classifier, map] };
    const imported = importOnnx(fileOf(file));
    expect([...outcome(imported, float32([1, 1, 1, 2], [10, 100])).logits.data]).toEqual([211, 432, 653]);
    const binary = { ...classifier, attributes: { ...attributes, post_transform: "LOGISTIC" } };
    expect(() => importOnnx(fileOf({ ...file, nodes: [binary, map] }))).toThrow(
      /post_transform NONE or SOFTMAX.*raw_scores/,
    );
  });

  test("channels last, as TensorFlow has them", () => {
    const nodes = [
      { type: "Transpose", inputs: ["x"], outputs: ["t"], attributes: { perm: [0, 3, 1, 2] } },
      { type: "GlobalAveragePool", inputs: ["t"], outputs: ["g"] },
      { type: "Flatten", inputs: ["g"], outputs: ["f"] },
      gemm("f", "y"),
    ];
    const file = {
      inputs: { x: ["N", 5, 7, 3] },
      outputs: ["y"],
      initializers: { w: randomOf("w", [4, 3]), b: randomOf("b", [4]) },
      nodes,
    };
    const imported = importOnnx(fileOf(file));
    expect(imported.model.inputShape).toEqual([3, 5, 7]);
    const { features } = outcome(
      imported,
      float32(
        [1, 3, 5, 7],
        Array.from({ length: 105 }, (_, i) => Math.floor(i / 35)),
      ),
    );
    expect([...features.data].map((v) => Math.round(v * 1e6) / 1e6)).toEqual([0, 1, 2]);
    expect(
      importOnnx(fileOf({ ...file, inputs: { x: ["N", "H", "W", 3] } }), { inputShape: [3, 5, 7] }).model.inputShape,
    ).toEqual([3, 5, 7]);
    expect(() => importOnnx(fileOf({ ...file, inputs: { x: ["N", "H", "W", 3] } }))).toThrow(
      /the size of input "x" must be known; got \[\?,\?,\?,3\]/,
    );
  });

  test("three axes: a grey picture, or the channels of a signal where windows go over samples", () => {
    const flat = { type: "Flatten", inputs: ["x"], outputs: ["f"] };
    const grey = { initializers: { w: randomOf("w", [4, 24]), b: randomOf("b", [4]) }, nodes: [flat, gemm("f", "y")] };
    const pool = { type: "MaxPool", inputs: ["x"], outputs: ["p"], attributes: { kernel_shape: [3], strides: [3] } };
    const signal = {
      initializers: { w: randomOf("w", [4, 8]), b: randomOf("b", [4]) },
      nodes: [pool, { ...flat, inputs: ["p"] }, gemm("f", "y")],
    };
    const read = (of: Pick<FileOf, "initializers" | "nodes">, inputShape?: [number, number, number]) =>
      importOnnx(fileOf({ ...of, inputs: { x: ["N", 2, 12] }, outputs: ["y"] }), inputShape && { inputShape });
    expect(read(grey).model.inputShape).toEqual([1, 2, 12]);
    expect(read(grey, [2, 1, 12]).model.inputShape).toEqual([2, 1, 12]);
    expect(read(signal).model.inputShape).toEqual([2, 1, 12]);
    expect(read(signal, [1, 2, 12]).model.inputShape).toEqual([1, 2, 12]);
    const data = randomOf("x", [3, 2, 1, 12]);
    const asLines = outcome(read(signal, [1, 2, 12]), { ...data, shape: [3, 1, 2, 12] });
    expect(outcome(read(signal), data).logits).toEqual(asLines.logits); // the same numbers in the same order
    expect(() => read(grey, [3, 1, 12])).toThrow(/the given image size must be the file's/);
  });

  test("a batch that the file fixes is made the one that is asked for", () => {
    const nodes = [{ type: "Reshape", inputs: ["x", "one"], outputs: ["f"] }, gemm("f", "y")];
    const initializers = { w: randomOf("w", [4, 12]), b: randomOf("b", [4]), one: ints(1, 12) };
    const imported = importOnnx(fileOf({ inputs: { x: [1, 3, 2, 2] }, outputs: ["y"], initializers, nodes }));
    expect(outcome(imported, randomOf("x", [5, 3, 2, 2])).logits.shape).toEqual([5, 4]);
    expect(imported.notes[0]).toMatch(/exported for batches of 1/);
  });

  test("a 1×1 convolution on one pixel as the head", () => {
    const nodes = [
      { type: "GlobalAveragePool", inputs: ["x"], outputs: ["g"] },
      { type: "Conv", inputs: ["g", "w", "b"], outputs: ["c"] },
      { type: "Flatten", inputs: ["c"], outputs: ["y"] },
    ];
    const initializers = { w: randomOf("w", [4, 3, 1, 1]), b: randomOf("b", [4]) };
    const { model } = importOnnx(fileOf({ inputs: { x: ["N", 3, 2, 2] }, outputs: ["y"], initializers, nodes }));
    expect(model.params[0]!.shape).toEqual([4, 3]);
  });

  test("x·σ(x) is one activation", () => {
    const nodes = [
      { type: "Sigmoid", inputs: ["x"], outputs: ["s"] },
      { type: "Mul", inputs: ["x", "s"], outputs: ["a"] },
      gemm("a", "y", "w", "b", 0),
    ];
    const { made, feeds } = outcome(importOnnx(fileOf({ ...mlp, nodes })), randomOf("x", [2, 1, 1, 6]));
    expect(made.activations).toHaveLength(1);
    const v = numbers(feeds.x!)[0]!;
    expect(evaluate({ a: made.activations[0]! }, feeds).a!.data[0]).toBeCloseTo(v / (1 + Math.exp(-v)), 10);
  });
});

describe("what is not read is refused with what to do", () => {
  const mlp = {
    inputs: { x: ["N", 6] },
    outputs: ["y"],
    initializers: { w: randomOf("w", [4, 6]), b: randomOf("b", [4]) },
  };
  const through = (type: string, domain = "", more: object = {}) =>
    fileOf({ ...mlp, nodes: [{ type, domain, inputs: ["x"], outputs: ["h"], ...more }, gemm("h", "y")] });
  test.each([
    [
      "LSTM",
      "",
      /onnx model: LSTM "n0" \(opset 17\): its operator must be one that is read; got LSTM\. Recurrent networks/,
    ],
    ["If", "", /Control flow is not read: trace the model/],
    ["QuantizeLinear", "", /Export the model in float32, before it is quantised/],
    ["TreeEnsembleRegressor", "ai.onnx.ml", /ai\.onnx\.ml\.TreeEnsembleRegressor.*Trees .* send no gradients/],
    ["Scaler", "ai.onnx.ml", /export that step of the pipeline alone/],
    ["RandomNormalLike", "", /It draws random numbers: export the model in eval mode/],
    ["GatherElements", "", /What picks by data is not read/],
    ["SequenceAt", "", /Lists and strings are not read/],
    ["Swish", "my.own", /got my\.own\.Swish\. Operators of other domains are not read/],
    ["Frobnicate", "", /Export the model so that it does without Frobnicate, for example with another opset/],
  ])("%s", (type, domain, words) => {
    expect(() => importOnnx(through(type, domain))).toThrow(words);
  });

  test.each<[string, () => Uint8Array, RegExp]>([
    ["an empty file", () => new Uint8Array(), /onnx model: the file must be an ONNX model; got an empty file/],
    [
      "an old opset",
      () => fileOf({ ...mlp, nodes: [gemm("x", "y")], opset: 9 }),
      /opset must be 11 to 22; got 9\. Export with opset_version=17/,
    ],
    [
      "one probability",
      () => fileOf({ ...mlp, nodes: [gemm("x", "h"), { type: "Sigmoid", inputs: ["h"], outputs: ["y"] }] }),
      /Models with one probability are not supported/,
    ],
    [
      "no linear layer",
      () => fileOf({ ...mlp, nodes: [{ type: "Relu", inputs: ["x"], outputs: ["y"] }] }),
      /output "y" must come from a linear layer .*got Relu "n0"/,
    ],
    [
      "a shape that does not fit",
      () =>
        fileOf({
          ...mlp,
          nodes: [{ type: "Reshape", inputs: ["x", "s"], outputs: ["h"] }, gemm("h", "y")],
          initializers: { ...mlp.initializers, s: ints(-1, 5) },
        }),
      /Reshape "n0" \(opset 17\): 12 elements must fit its shape; got \[-1,5\]/,
    ],
    [
      "a layer that does not fit",
      () => fileOf({ ...mlp, nodes: [gemm("x", "y", "w", "b", 0)] }),
      /Gemm "n0" \(opset 17\): its inputs and attributes must fit; got matmul: shapes must be/,
    ],
    [
      "control by data",
      () => fileOf({ ...mlp, nodes: [{ type: "Reshape", inputs: ["x", "x"], outputs: ["h"] }, gemm("h", "y")] }),
      /input 1 must follow from the file and the batch size/,
    ],
    [
      "a second input",
      () =>
        fileOf({
          ...mlp,
          inputs: { x: ["N", 6], z: ["N", 6] },
          nodes: [{ type: "Add", inputs: ["x", "z"], outputs: ["h"] }, gemm("h", "y")],
        }),
      /one input of 2 to 4 axes; got "x" \[\?,6\], "z" \[\?,6\]/,
    ],
  ])("%s", (_, bytes, words) => {
    expect(() => importOnnx(bytes())).toThrow(words);
  });

  test("an output that is not there", () => {
    expect(() => importOnnx(classifierFile(), { output: "logit" })).toThrow('Did you mean "logits"?');
  });
});

describe("a generator", () => {
  const file = (end: string, more: object = {}) =>
    fileOf({
      inputs: { z: ["N", 5] },
      outputs: ["y"],
      initializers: {
        w: randomOf("w", [12, 5]),
        b: randomOf("b", [12]),
        s: ints(0, 3, 2, 2),
        up: float32([4], [1, 1, 2, 2]),
      },
      nodes: [
        gemm("z", "h"),
        { type: "Reshape", inputs: ["h", "s"], outputs: ["i"] },
        {
          type: "Resize",
          inputs: ["i", "", "up"],
          outputs: ["u"],
          attributes: { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
        },
        { type: end, inputs: ["u"], outputs: ["y"] },
      ],
      ...more,
    });

  test("a tanh is mapped to [0,1], a sigmoid left, anything else must be told", () => {
    const z = randomOf("z", [2, 5], (v) => 3 * v);
    for (const [end, options] of [
      ["Tanh", {}],
      ["Sigmoid", {}],
      ["Relu", { range: [0, 20] as const }],
    ] as const) {
      const generator = importGenerator(file(end), options);
      expect([generator.latent, generator.imageShape]).toEqual([5, [3, 4, 4]]);
      expect(Object.keys(generator.tensors)).toEqual(["prior.w", "prior.b"]);
      const images = evaluate({ y: generator.decode(input("z", [2, 5])) }, { z, ...generator.tensors }).y!;
      expect(images.shape).toEqual([2, 3, 4, 4]);
      expect(Math.min(...images.data)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...images.data)).toBeLessThanOrEqual(1);
      expect(Math.max(...images.data) - Math.min(...images.data)).toBeGreaterThan(0.2);
    }
    expect(() => importGenerator(file("Relu"))).toThrow(
      /must end in a tanh or a sigmoid.*got Relu "n3"\. Say the values of black and white/,
    );
  });

  test("its images move with the latent vector", () => {
    const z = input("z", [2, 5]);
    const generator = importGenerator(file("Tanh"));
    const slope = evaluate(
      { g: grad(sum(generator.decode(z)), [z])[0]! },
      { z: randomOf("z", [2, 5]), ...generator.tensors },
    ).g!;
    expect(Math.hypot(...slope.data)).toBeGreaterThan(0.01);
  });
});
