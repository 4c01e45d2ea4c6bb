import { describe, expect, test } from "vitest";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import type { Tensor } from "../../src/tensor/index.ts";
import { key } from "../../src/util/index.ts";

const small = { inputShape: [3, 32, 32], classes: 10 };
const names = (model: string, options: object = {}) =>
  buildModel(model, { ...small, ...options }).params.map(({ name }) => name);
const deviation = ({ data }: Tensor) =>
  Math.sqrt([...data].reduce<number>((total, v) => total + Number(v) ** 2, 0) / data.length);

describe("names and order are torchvision's", () => {
  test("densenet121", () => {
    const all = names("densenet121");
    expect(all.slice(0, 9)).toEqual([
      ...["features.conv0.weight", "features.norm0.weight", "features.norm0.bias"],
      ...["norm1.weight", "norm1.bias", "conv1.weight", "norm2.weight", "norm2.bias", "conv2.weight"].map(
        (name) => `features.denseblock1.denselayer1.${name}`,
      ),
    ]);
    expect(all).toContain("features.denseblock3.denselayer24.conv2.weight");
    expect(all).toContain("features.transition3.conv.weight");
    expect(all.slice(-4)).toEqual([
      ...["features.norm5.weight", "features.norm5.bias", "classifier.weight", "classifier.bias"],
    ]);
  });

  test("mobilenet-v2", () => {
    const all = names("mobilenet-v2");
    expect(all.slice(0, 12)).toEqual([
      ...["features.0.0.weight", "features.0.1.weight", "features.0.1.bias"],
      ...["0.0.weight", "0.1.weight", "0.1.bias", "1.weight", "2.weight", "2.bias"].map(
        (name) => `features.1.conv.${name}`,
      ),
      ...["features.2.conv.0.0.weight", "features.2.conv.0.1.weight", "features.2.conv.0.1.bias"],
    ]);
    expect(all.slice(-6)).toEqual([
      ...["features.17.conv.3.bias", "features.18.0.weight", "features.18.1.weight", "features.18.1.bias"],
      ...["classifier.1.weight", "classifier.1.bias"],
    ]);
  });

  test.each([
    [0.5, [16, 8, 16, 16, 32, 48, 80, 160, 1280]],
    [0.75, [24, 16, 24, 24, 48, 72, 120, 240, 1280]],
    [1.4, [48, 24, 32, 48, 88, 136, 224, 448, 1792]],
  ])("mobilenet-v2 of multiplier %d has torchvision's channels", (widthMultiplier, channels) => {
    const model = buildModel("mobilenet-v2", { ...small, widthMultiplier });
    const out = (name: string) => model.params.find((spec) => spec.name === name)!.shape[0];
    const last = ["1.conv.1", "3.conv.2", "6.conv.2", "10.conv.2", "13.conv.2", "16.conv.2", "17.conv.2"];
    expect(["0.0", ...last, "18.0"].map((name) => out(`features.${name}.weight`))).toEqual(channels);
  });

  test("vit", () => {
    const all = names("vit-tiny");
    expect(all.slice(0, 8)).toEqual([
      ...["class_token", "conv_proj.weight", "conv_proj.bias", "encoder.pos_embedding"],
      ...["ln_1.weight", "ln_1.bias", "self_attention.in_proj_weight", "self_attention.in_proj_bias"].map(
        (name) => `encoder.layers.encoder_layer_0.${name}`,
      ),
    ]);
    expect(all.slice(-6)).toEqual([
      ...["encoder.layers.encoder_layer_11.mlp.3.weight", "encoder.layers.encoder_layer_11.mlp.3.bias"],
      ...["encoder.ln.weight", "encoder.ln.bias", "heads.head.weight", "heads.head.bias"],
    ]);
  });
});

/** Initial values of one tensor: its deviation from 0. Each has 500 numbers or more: 8 % is more than three standard errors. */
describe("initial values are torchvision's", () => {
  test.each([
    ["resnet18-imagenet", "conv1.weight", Math.sqrt(2 / (64 * 49))], // N(0, 2/fanOut)
    ["resnet18-imagenet", "layer2.0.downsample.0.weight", Math.sqrt(2 / 128)],
    ["resnet18-imagenet", "layer2.0.conv1.weight", Math.sqrt(2 / (128 * 9))],
    ["densenet121", "features.conv0.weight", Math.sqrt(2 / (3 * 49))], // N(0, 2/fanIn)
    ["densenet121", "features.denseblock1.denselayer1.conv2.weight", Math.sqrt(2 / (128 * 9))],
    ["mobilenet-v2", "features.3.conv.1.0.weight", Math.sqrt(2 / (144 * 9))], // depthwise: fanOut is 144·9
    ["mobilenet-v2", "classifier.1.weight", 0.01],
    ["vit-tiny", "conv_proj.weight", 1 / Math.sqrt(3 * 256)],
    ["vit-tiny", "encoder.pos_embedding", 0.02],
    ["vit-tiny", "encoder.layers.encoder_layer_0.self_attention.in_proj_weight", Math.sqrt(2 / (4 * 192))],
    ["vit-tiny", "encoder.layers.encoder_layer_0.self_attention.out_proj.weight", 1 / Math.sqrt(3 * 192)],
    ["vit-tiny", "encoder.layers.encoder_layer_0.mlp.0.weight", Math.sqrt(2 / (5 * 192))],
    ["vit-tiny", "encoder.layers.encoder_layer_0.mlp.0.bias", 1e-6],
    ["vit-tiny", "heads.head.weight", 0.02], // ours; torchvision's is 0, below
  ])("%s %s", (name, tensor, expected) => {
    expect(deviation(initialOf(name, tensor)) / expected).toBeCloseTo(1, 0.8);
  });

  test.each([
    ["densenet121", "classifier.bias", {}],
    ["mobilenet-v2", "classifier.1.bias", {}],
    ["vit-tiny", "class_token", {}],
    ["vit-tiny", "encoder.layers.encoder_layer_0.self_attention.in_proj_bias", {}],
    ["vit-tiny", "heads.head.weight", { init: "torchvision" }],
  ])("%s %s starts at 0", (name, tensor, options) => {
    expect(deviation(initialOf(name, tensor, options))).toBe(0);
  });
});

/** The initial values of one tensor alone. */
function initialOf(name: string, tensor: string, options: object = {}): Tensor {
  const model = buildModel(name, { ...small, ...options });
  const params = model.params.filter((spec) => spec.name === tensor);
  return initialise({ params, buffers: [] }, key(5)).params[tensor]!;
}
