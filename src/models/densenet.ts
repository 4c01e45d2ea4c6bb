import { z } from "zod";
import { avgPool, globalAvgPool, maxPool, type Node, relu } from "../graph/index.ts";
import {
  batchNormLayer,
  batchNormPartsLayer,
  constantInit,
  convLayer,
  defineModel,
  heInit,
  type NormPart,
  normPart,
  type Scope,
} from "../nn/index.ts";
import { defineFamily, type ModelFamily } from "./family.ts";
import { atLeast, atLeastOr, classifier, needSize } from "./options.ts";

const BLOCKS = [6, 12, 24, 16]; // dense layers of each block: DenseNet-121, Huang et al., table 1
const GROWTH = 32; // channels that a dense layer adds, as there
const STEM = 64; // channels of the first convolution: 2·growth, as there
const BOTTLENECK = 4; // channels between a dense layer's two convolutions, in units of the growth, as there

/**
 * DenseNet-121: four blocks of layers, each of which sees the outputs of all layers before it in its block.
 *
 * x [B,C,H,W], H, W ≥ 32 → [B,N]. A layer: BatchNorm, ReLU, 1×1 to bottleneck·growth channels, BatchNorm, ReLU, 3×3 to
 * `growth`. Between blocks half of the channels and half of the size are kept. 7,978,856 parameters for three channels and
 * 1000 classes. Options: `blocks`, layers of each block; `width`, channels of the 7×7 stem; `growth`; `bottleneck`.
 * Names and initial values are torchvision's.
 * Source: Huang et al., "Densely connected convolutional networks", CVPR 2017; torchvision.models.densenet.
 */
export const densenet121: ModelFamily = defineFamily({
  name: "densenet121",
  about: "densely connected, 121 layers, torchvision's names",
  source: "Huang et al. 2017; torchvision.models.densenet",
  schema: z.strictObject({
    ...classifier,
    blocks: z
      .array(atLeast(1))
      .length(4)
      .readonly()
      .default(BLOCKS)
      .describe("four integers ≥ 1, the layers of each block"),
    width: atLeastOr(1, STEM),
    growth: atLeastOr(1, GROWTH),
    bottleneck: atLeastOr(1, BOTTLENECK),
  }),
  build: (options) => {
    const { inputShape, classes } = options;
    needSize("model densenet121", inputShape, 32);
    const features = (net: Scope, x: Node) => globalAvgPool(convolve(net.at("features"), x, options));
    const headInits = { bias: constantInit(0) };
    return defineModel({ name: "densenet121", options, inputShape, classes, head: "classifier", headInits, features });
  },
});

interface Sizes {
  readonly blocks: readonly number[];
  readonly width: number;
  readonly growth: number;
  readonly bottleneck: number;
}

/** x [B,C,H,W] → [B,channels,⌊H/32⌋,⌊W/32⌋], roughly: the stem rounds up, transitions round down. */
function convolve(features: Scope, x: Node, { blocks, width, growth, bottleneck }: Sizes): Node {
  const act = (h: Node) => features.noteActivation(relu(h));
  const stem = bare(features.at("conv0"), x, { channels: width, kernel: 7, stride: 2 });
  const pooled = maxPool(act(batchNormLayer(features.at("norm0"), stem)), POOL);
  let parts: readonly NormPart[] = [normPart(features, pooled)]; // side by side, what the next layer sees
  blocks.forEach((layers, i) => {
    for (let j = 1; j <= layers; j++) {
      const layer = features.at(`denseblock${i + 1}.denselayer${j}`);
      const first = act(batchNormPartsLayer(layer.at("norm1"), parts));
      const narrow = bare(layer.at("conv1"), first, { channels: bottleneck * growth, kernel: 1 });
      const second = act(batchNormLayer(layer.at("norm2"), narrow));
      const added = bare(layer.at("conv2"), second, { channels: growth, kernel: 3 });
      parts = [...parts, normPart(layer, added)];
    }
    if (i === blocks.length - 1) return;
    const transition = features.at(`transition${i + 1}`);
    const seen = act(batchNormPartsLayer(transition.at("norm"), parts));
    const half = { channels: Math.floor(seen.shape[1]! / 2), kernel: 1 };
    parts = [normPart(transition, avgPool(bare(transition.at("conv"), seen, half), [2, 2]))];
  });
  return act(batchNormPartsLayer(features.at("norm5"), parts));
}

const POOL = { kernel: [3, 3], stride: [2, 2], padding: [1, 1] } as const;

/** A convolution without bias that keeps rows and columns (but for its stride), and starts from N(0, 2/fanIn). */
function bare(
  scope: Scope,
  x: Node,
  options: { readonly channels: number; readonly kernel: number; readonly stride?: number },
): Node {
  const { kernel } = options;
  const inits = { weight: heInit(x.shape[1]! * kernel * kernel) };
  return convLayer(scope, x, { ...options, padding: (kernel - 1) / 2, bias: false, inits });
}
