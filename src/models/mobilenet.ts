import { z } from "zod";
import { add, globalAvgPool, minimum, type Node, relu } from "../graph/index.ts";
import { batchNormLayer, constantInit, convLayer, defineModel, heInit, normalInit, type Scope } from "../nn/index.ts";
import { defineFamily, type ModelFamily } from "./family.ts";
import { classifier, needSize } from "./options.ts";

const STEM = 32; // channels of the first convolution at multiplier 1; Sandler et al., table 2, as the rest
const LAST = 1280; // channels of the last convolution, at multiplier 1 or less
const HEAD = 0.01; // deviation of the head's initial weight, as torchvision
/** t, c, n, s of table 2: expansion, channels, blocks, stride of the first of them. */
const STAGES = [
  { expansion: 1, channels: 16, blocks: 1, stride: 1 },
  { expansion: 6, channels: 24, blocks: 2, stride: 2 },
  { expansion: 6, channels: 32, blocks: 3, stride: 2 },
  { expansion: 6, channels: 64, blocks: 4, stride: 2 },
  { expansion: 6, channels: 96, blocks: 3, stride: 1 },
  { expansion: 6, channels: 160, blocks: 3, stride: 2 },
  { expansion: 6, channels: 320, blocks: 1, stride: 1 },
] as const;

/**
 * MobileNetV2: seventeen inverted residual blocks with depthwise 3×3 convolutions and ReLU6.
 *
 * x [B,C,H,W], H, W ≥ 32 → [B,N]. A block: 1×1 to `expansion` times the channels, 3×3 depthwise, 1×1 to its channels
 * without a nonlinearity; plus x where shapes agree. Option `widthMultiplier` > 0 scales all channels, to multiples of 8.
 * 3,504,872 parameters for three channels and 1000 classes. Names and initial values are torchvision's.
 * Source: Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018; torchvision.models.mobilenetv2.
 * Differs: no dropout before the head (torchvision drops 0.2 while it trains).
 */
export const mobilenetV2: ModelFamily = defineFamily({
  name: "mobilenet-v2",
  about: "inverted residuals, depthwise convolutions and relu6, torchvision's names",
  source: "Sandler et al. 2018; torchvision.models.mobilenetv2",
  schema: z.strictObject({
    ...classifier,
    widthMultiplier: z.number().positive().max(16).default(1).describe("a number above 0, up to 16"),
  }),
  build: (options) => {
    const { inputShape, classes, widthMultiplier } = options;
    needSize("model mobilenet-v2", inputShape, 32);
    const features = (net: Scope, x: Node) => globalAvgPool(convolve(net.at("features"), x, widthMultiplier));
    return defineModel({
      ...{ name: "mobilenet-v2", options, inputShape, classes, features },
      ...{ head: "classifier.1", headInits: { weight: normalInit(HEAD), bias: constantInit(0) } },
    });
  },
});

/** x [B,C,H,W] → [B,1280 or more,⌈H/32⌉,⌈W/32⌉] */
function convolve(features: Scope, x: Node, multiplier: number): Node {
  let h = normed(features.at("0"), x, { channels: inEights(STEM * multiplier), kernel: 3, stride: 2 });
  let index = 1;
  for (const { expansion, channels, blocks, stride } of STAGES) {
    for (let i = 0; i < blocks; i++) {
      const block = { expansion, channels: inEights(channels * multiplier), stride: i === 0 ? stride : 1 };
      h = invertedResidual(features.at(`${index++}.conv`), h, block);
    }
  }
  return normed(features.at(`${index}`), h, { channels: inEights(LAST * Math.max(1, multiplier)), kernel: 1 });
}

function invertedResidual(
  conv: Scope,
  x: Node,
  block: { readonly expansion: number; readonly channels: number; readonly stride: number },
): Node {
  const { expansion, channels, stride } = block;
  const wide = x.shape[1]! * expansion;
  let [h, index] = [x, 0];
  if (expansion > 1) h = normed(conv.at(`${index++}`), h, { channels: wide, kernel: 1 });
  h = normed(conv.at(`${index++}`), h, { channels: wide, kernel: 3, stride, groups: wide });
  h = bare(conv.at(`${index++}`), h, { channels, kernel: 1 });
  h = batchNormLayer(conv.at(`${index}`), h, NORM);
  return stride === 1 && x.shape[1] === channels ? add(x, h) : h;
}

interface Convolution {
  readonly channels: number;
  readonly kernel: 1 | 3;
  readonly stride?: number;
  readonly groups?: number;
}

/** relu6(BatchNorm(conv x)): modules `0` and `1`. */
function normed(scope: Scope, x: Node, options: Convolution): Node {
  return scope.noteActivation(relu6(batchNormLayer(scope.at("1"), bare(scope.at("0"), x, options), NORM)));
}

// As PyTorch computes: in 35 layers of ReLU6, one unit that rounding moves across a kink shows in all gradients before it.
const NORM = { folded: true };

/** A convolution without bias that keeps rows and columns (but for its stride), and starts from N(0, 2/fanOut). */
function bare(scope: Scope, x: Node, { kernel, ...options }: Convolution): Node {
  const inits = { weight: heInit(options.channels * kernel * kernel) }; // torch does not divide fanOut by the groups
  return convLayer(scope, x, { ...options, kernel, padding: (kernel - 1) / 2, bias: false, inits });
}

/** min(max(x, 0), 6) */
function relu6(x: Node): Node {
  return minimum(relu(x), 6);
}

/** The multiple of 8 nearest to `channels`, the next one where that takes more than a tenth away; as torchvision. */
function inEights(channels: number): number {
  const nearest = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return nearest < 0.9 * channels ? nearest + 8 : nearest;
}
