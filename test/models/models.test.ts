import { describe, expect, test } from "vitest";
import { input, linear, sub } from "../../src/graph/index.ts";
import { buildModel, MODELS } from "../../src/models/index.ts";
import { countElements, initialise, inputsFor, type Mode, type Model } from "../../src/nn/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import { float32, type Tensors } from "../../src/tensor/index.ts";
import { key, uniform } from "../../src/util/index.ts";

const SAME = 1e-9; // float64 throughout; a graph that differs in meaning differs by far more

describe("parameter counts", () => {
  test.each([
    // FedLeak's ResNet10, the first one published, the others by the same topology
    ["resnet10", 1, 10, {}, 4_902_090],
    ["resnet10", 3, 10, {}, 4_903_242],
    ["resnet10", 3, 100, {}, 4_949_412],
    ["resnet10", 3, 7, {}, 4_901_703],
    ["resnet10", 3, 5, {}, 4_900_677],
    // torchvision's documented numbers of parameters
    ["resnet18-imagenet", 3, 1000, {}, 11_689_512],
    ["resnet34-imagenet", 3, 1000, {}, 21_797_672],
    ["densenet121", 3, 1000, {}, 7_978_856],
    ["mobilenet-v2", 3, 1000, {}, 3_504_872],
    ["vit-base", 3, 1000, { size: 224 }, 86_567_656],
    // timm's and DeiT's: tokens of width D, (D·768 + D) + D + 197·D + 12·(12·D² + 13·D) + 2·D + 1000·D + 1000
    ["vit-small", 3, 1000, { size: 224 }, 22_050_664],
    ["vit-tiny", 3, 1000, { size: 224 }, 5_717_416],
    // DLG's net: 3·12·25+12 + 2·(12·12·25+12) + 768·10+10
    ["lenet-sigmoid", 3, 10, {}, 15_826],
    // 3·16·9+16 + 16·48·9+48 + 48·48·9+48 + 48·80·9+80 + 1280·10+10
    ["convnet", 3, 10, {}, 75_642],
    // 768·64+64 + 2·(64·64+64) + 64·5+5 on 16×16 images below
    ["mlp3", 3, 5, { hidden: 64, size: 16 }, 57_861],
  ] as const)(
    "%s, %i channels, %i classes",
    (name, channels, classes, { size = 32, ...options }: { size?: number }, count) => {
      const model = buildModel(name, { inputShape: [channels, size, size], classes, ...options });
      expect(countElements(model.params)).toBe(count);
    },
  );

  test("three and five times the width are FedLeak's 44.0 and 122.3 million", () => {
    const millions = (times: string) =>
      countElements(buildModel(`resnet10${times}`, { inputShape: [3, 32, 32], classes: 5 }).params) / 1e6;
    expect(millions("-x3")).toBeCloseTo(44.0, 1);
    expect(millions("-x5")).toBeCloseTo(122.3, 1);
  });
});

const SMALL: Record<string, Readonly<Record<string, unknown>>> = {
  mlp3: { inputShape: [2, 5, 4], classes: 3, hidden: 6 },
  "lenet-sigmoid": { inputShape: [2, 7, 8], classes: 3 },
  convnet: { inputShape: [2, 9, 8], classes: 3, width: 2 },
  resnet10: { inputShape: [2, 9, 8], classes: 3, width: 2 },
  "resnet10-x3": { inputShape: [2, 8, 8], classes: 3, width: 2 },
  "resnet10-x5": { inputShape: [2, 8, 8], classes: 3, width: 2 },
  resnet18: { inputShape: [2, 8, 8], classes: 3, width: 2 },
  resnet34: { inputShape: [2, 8, 8], classes: 3, width: 2 },
  "resnet18-imagenet": { inputShape: [2, 33, 32], classes: 3, width: 2 },
  "resnet34-imagenet": { inputShape: [2, 32, 32], classes: 3, width: 2 },
  densenet121: { inputShape: [2, 33, 32], classes: 3, blocks: [2, 1, 1, 2], width: 3, growth: 2, bottleneck: 2 },
  "mobilenet-v2": { inputShape: [2, 33, 32], classes: 3, widthMultiplier: 0.01 }, // 8 channels everywhere
  "vit-tiny": { inputShape: [2, 6, 9], classes: 3, patch: 3, width: 6, depth: 2, heads: 3, hidden: 5 },
  "vit-small": { inputShape: [2, 4, 4], classes: 3, patch: 2, width: 4, depth: 1, heads: 2, hidden: 5 },
  "vit-base": { inputShape: [2, 4, 4], classes: 3, patch: 4, width: 4, depth: 1, heads: 1, hidden: 5 },
};

test("every model is tested", () => {
  expect(Object.keys(SMALL)).toEqual(Object.keys(MODELS));
});

describe.each(Object.entries(SMALL))("%s", (name, options) => {
  const model = buildModel(name, options);

  test("its options build it again", () => {
    const again = buildModel(model.name, JSON.parse(JSON.stringify(model.options)));
    const shapes = ({ params, buffers }: Model) => [...params, ...buffers].map((spec) => [spec.name, spec.shape]);
    expect(shapes(again)).toEqual(shapes(model));
    expect(again.options).toEqual(model.options);
    expect(Object.keys(model.options).sort()).toEqual(Object.keys(MODELS[name]!.options).sort());
  });

  test("logits are the head of the features", () => {
    const { forward, params } = prepare(model, "train");
    const head = linear(forward.features, params[model.head.weight]!, params[model.head.bias!]!);
    const { logits, difference } = compute(model, { logits: forward.logits, difference: sub(forward.logits, head) });
    expect(logits!.shape).toEqual([3, 3]);
    expect(Math.max(...difference!.data.map(Math.abs))).toBe(0);
    expect(Math.max(...logits!.data.map(Math.abs))).toBeGreaterThan(0);
  });

  test("images of another shape are refused", () => {
    const x = input("x", [3, 1, 8, 8]);
    const nodes = { params: inputsFor(model.params, "p."), buffers: inputsFor(model.buffers, "b.") };
    expect(() => model.forward({ ...nodes, x, mode: "eval" })).toThrow(
      `model ${name}: x must be [B,${model.inputShape.join(",")}]; got float[3,1,8,8].`,
    );
  });
});

describe("residual networks", () => {
  const model = buildModel("resnet10", SMALL.resnet10!);

  test("parameters carry PyTorch's names in PyTorch's order", () => {
    const names = model.params.map((spec) => spec.name);
    expect(names.slice(0, 9)).toEqual([
      ...["conv1.weight", "bn1.weight", "bn1.bias", "layer1.0.conv1.weight", "layer1.0.bn1.weight"],
      ...["layer1.0.bn1.bias", "layer1.0.conv2.weight", "layer1.0.bn2.weight", "layer1.0.bn2.bias"],
    ]);
    expect(names).toContain("layer2.0.shortcut.0.weight");
    expect(names).not.toContain("layer1.0.shortcut.0.weight");
    const imagenet = buildModel("resnet18-imagenet", SMALL["resnet18-imagenet"]!).params.map((spec) => spec.name);
    expect(imagenet).toContain("layer4.0.downsample.1.bias");
    expect(names.at(-1)).toBe("fc.bias");
  });

  test("train and eval mode differ, and agree once the running statistics are the batch's", () => {
    const train = prepare(model, "train").forward;
    const norms = model.buffers
      .filter(({ name }) => name.endsWith(".running_mean"))
      .map(({ name }) => name.slice(0, -13));
    expect(Object.keys(train.statistics).sort()).toEqual(norms.sort());
    expect(prepare(model, "eval").forward.statistics).toEqual({});

    const seen = Object.entries(train.statistics).flatMap(([norm, { mean, variance }]) => [
      [`b.${norm}.running_mean`, mean] as const,
      [`b.${norm}.running_var`, variance] as const,
    ]);
    const inTrain = compute(model, { logits: train.logits, ...Object.fromEntries(seen) });
    const evaluated = { logits: prepare(model, "eval").forward.logits };
    expect(distance(compute(model, evaluated), inTrain)).toBeGreaterThan(1e-3);
    expect(distance(compute(model, evaluated, inTrain), inTrain)).toBeLessThan(SAME);
  });

  test("statistics count the values they are over", () => {
    const { statistics } = prepare(model, "train").forward;
    expect(statistics.bn1!.count).toBe(3 * 9 * 8);
    expect(statistics["layer2.0.shortcut.1"]!.count).toBe(3 * 5 * 4);
  });

  test("the activation changes the logits and is reported after each nonlinearity", () => {
    const sigmoid = buildModel("resnet10", { ...SMALL.resnet10, activation: "sigmoid" });
    const [relu, smooth] = [prepare(model, "eval").forward, prepare(sigmoid, "eval").forward];
    const logits = (of: typeof relu) => compute(model, { logits: of.logits });
    expect(distance(logits(relu), logits(smooth))).toBeGreaterThan(1e-3);
    expect([relu, smooth].map((of) => of.activations.length)).toEqual([9, 9]); // stem and two in each of four blocks
    expect(new Set(relu.activations.map((node) => node.op.name))).toEqual(new Set(["relu"]));
    expect(new Set(smooth.activations.map((node) => node.op.name))).toEqual(new Set(["sigmoid"]));
  });

  test("train mode refuses a batch that leaves BatchNorm one value a channel", () => {
    const alone = { ...inputsOf(model), x: input("x", [1, 2, 9, 8]) };
    const small = buildModel("resnet10", { ...SMALL.resnet10, inputShape: [2, 8, 8] });
    expect(() => model.forward({ ...alone, mode: "train" })).not.toThrow(); // 9 rows leave 2 values in stage 4
    expect(() => small.forward({ ...inputsOf(small), x: input("x", [1, 2, 8, 8]), mode: "train" })).toThrow(
      "batch-norm layer4.0.bn1: train mode needs at least 2 values a channel; got x [1,16,1,1].",
    );
  });

  test("missing and misshapen tensors are named", () => {
    const { params, buffers } = inputsOf(model);
    const x = input("x", [3, 2, 9, 8]);
    const { "bn1.bias": _, ...rest } = params;
    expect(() => model.forward({ params: rest, buffers, x, mode: "eval" })).toThrow(
      'network: params must hold "bn1.bias" of shape [2]; got nothing.',
    );
    const wrong = { ...buffers, "bn1.running_var": input("v", [3]) };
    expect(() => model.forward({ params, buffers: wrong, x, mode: "eval" })).toThrow(
      'network: buffers must hold "bn1.running_var" of shape [2]; got float[3].',
    );
  });
});

test.each(["relu", "sigmoid", "tanh", "leaky-relu"])("activation %s is what its name says", (activation) => {
  const of: Record<string, (v: number) => number> = {
    relu: (v) => Math.max(v, 0),
    sigmoid: (v) => 1 / (1 + Math.exp(-v)),
    tanh: Math.tanh,
    "leaky-relu": (v) => (v < 0 ? 0.2 * v : v),
  };
  const model = buildModel("convnet", { ...SMALL.convnet, activation });
  const after = prepare(model, "eval").forward.activations[0]!;
  const before = prepare(buildModel("convnet", { ...SMALL.convnet, activation: "relu" }), "eval").forward
    .activations[0]!.inputs[0]!;
  const { y, z } = compute(model, { y: after, z: before });
  expect(Math.max(...y!.data.map((v, i) => Math.abs(v - of[activation]!(z!.data[i]!))))).toBeLessThan(SAME);
});

describe("options", () => {
  const good = { inputShape: [3, 32, 32], classes: 10 };
  test.each([
    [
      "resnet11",
      good,
      'model: name must be one of mlp3, lenet-sigmoid, convnet, resnet10, resnet10-x3, resnet10-x5, resnet18, resnet34, resnet18-imagenet, resnet34-imagenet, densenet121, mobilenet-v2, vit-tiny, vit-small, vit-base; got "resnet11". Did you mean "resnet10"?',
    ],
    [
      "resnet10",
      { ...good, widht: 3 },
      'model resnet10: option must be one of inputShape, classes, width, activation; got "widht". Did you mean "width"?',
    ],
    ["resnet10", { ...good, classes: 1 }, "model resnet10: option classes must be an integer ≥ 2; got 1. Change it."],
    [
      "resnet10",
      { inputShape: [3, 32, 32] },
      "model resnet10: option classes must be an integer ≥ 2; got nothing. Give it.",
    ],
    ["resnet10", { ...good, width: 1.5 }, "model resnet10: option width must be an integer ≥ 1; got 1.5."],
    [
      "resnet10",
      { ...good, activation: "gelu" },
      'model resnet10: option activation must be relu or sigmoid or tanh or leaky-relu; got "gelu".',
    ],
    [
      "resnet10",
      { ...good, inputShape: [3, 32] },
      "model resnet10: option inputShape must be [channels, height, width], each an integer ≥ 1; got [3,32].",
    ],
    [
      "resnet10",
      { ...good, inputShape: [3, 7, 32] },
      "model resnet10: images must be at least 8×8, since the net shrinks them 8-fold; got 7×32. Use larger images or another model.",
    ],
    [
      "resnet18-imagenet",
      { ...good, inputShape: [3, 28, 28] },
      "model resnet18-imagenet: images must be at least 32×32",
    ],
    [
      "lenet-sigmoid",
      { ...good, activation: "relu" },
      'model lenet-sigmoid: option activation must be sigmoid, as the model\'s name says; got "relu".',
    ],
    [
      "lenet-sigmoid",
      { ...good, init: "normal" },
      'model lenet-sigmoid: option init must be torch or dlg-uniform; got "normal".',
    ],
    [
      "vit-tiny",
      { ...good, patch: 5 },
      "model vit-tiny: the patch must divide the images' height and width; got patch 5, images 32×32.",
    ],
    ["vit-tiny", { ...good, width: 32 }, "the number of heads must divide the width; got 3 heads, width 32."],
    ["densenet121", { ...good, blocks: [6, 12, 24] }, "option blocks must be four integers ≥ 1"],
    ["densenet121", { ...good, inputShape: [3, 31, 32] }, "images must be at least 32×32"],
    [
      "mobilenet-v2",
      { ...good, widthMultiplier: 0 },
      "option widthMultiplier must be a number above 0, up to 16; got 0.",
    ],
    ["toString", good, 'got "toString"'],
  ])("%s %j", (name, options, message) => {
    expect(() => buildModel(name, options)).toThrow(message);
  });

  test("defaults are completed", () => {
    expect(buildModel("resnet10", good).options).toEqual({ ...good, width: 64, activation: "relu" });
    expect(buildModel("mlp3", good).options).toEqual({ ...good, hidden: 512, activation: "relu" });
    expect(buildModel("convnet", good).options).toEqual({ ...good, width: 16, activation: "leaky-relu" });
    expect(buildModel("lenet-sigmoid", good).options).toEqual({ ...good, init: "torch", activation: "sigmoid" });
  });
});

function inputsOf(model: Model) {
  return { params: inputsFor(model.params, "p."), buffers: inputsFor(model.buffers, "b.") };
}

function prepare(model: Model, mode: Mode) {
  const { params, buffers } = inputsOf(model);
  const x = input("x", [3, ...model.inputShape]);
  return { params, forward: model.forward({ params, buffers, x, mode }) };
}

/** Evaluates nodes over `inputsOf` with initial values from one key and a random batch of three. */
function compute(model: Model, outputs: Parameters<typeof evaluate>[0], more: Tensors = {}): Tensors<"float64"> {
  const { params, buffers } = initialise(model, key(3));
  const shape = [3, ...model.inputShape];
  const x = float32(
    shape,
    uniform(
      key(4),
      shape.reduce((a, b) => a * b),
    ),
  );
  const prefixed = (prefix: string, tensors: Tensors) =>
    Object.fromEntries(Object.entries(tensors).map(([name, value]) => [prefix + name, value]));
  return evaluate(outputs, { x, ...prefixed("p.", params), ...prefixed("b.", buffers), ...more });
}

function distance(a: Tensors<"float64">, b: Tensors<"float64">): number {
  return Math.max(...a.logits!.data.map((v, i) => Math.abs(v - b.logits!.data[i]!)));
}
