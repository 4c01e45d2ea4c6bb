import { z } from "zod";
import { add, globalAvgPool, maxPool, type Node } from "../graph/index.ts";
import {
  activate,
  batchNormLayer,
  type ConvLayerOptions,
  convLayer,
  defineModel,
  heInit,
  type Scope,
} from "../nn/index.ts";
import { defineFamily, type ModelFamily } from "./family.ts";
import { activation, atLeastOr, classifier, needSize } from "./options.ts";

/** How many basic blocks each of the four stages has. */
type Blocks = readonly [number, number, number, number];

/**
 * A residual network for small images: 3×3 stem of stride 1, no pooling, four stages of basic blocks, mean over pixels.
 *
 * x [B,C,H,W], H, W ≥ 8 → [B,N]; stage k = 0 … 3 has width·2^k channels. Projections are `shortcut.0` and `.1`.
 * `width` is that of option width when it is not given.
 * Source: He et al., "Deep residual learning for image recognition", CVPR 2016; with blocks [1,1,1,1] FedLeak's
 * ResNet10, 4,902,090 parameters for one channel and ten classes, and its "×3" and "×5" with widths 192 and 320.
 */
export function cifarResNet(name: string, blocks: Blocks, width = WIDTH): ModelFamily {
  return resNet(name, blocks, {
    width,
    about: "3×3 stem, for small images",
    source: "He et al. 2016; stem, blocks and widths of FedLeak's ResNet10",
    stem: (net, x, width, act) =>
      act(batchNormLayer(net.at("bn1"), convLayer(net.at("conv1"), x, { ...SAME, channels: width }))),
    projection: "shortcut",
    convolve: convLayer,
    shrinks: 8,
  });
}

/**
 * A residual network for large images: 7×7 stem of stride 2, 3×3 max-pool of stride 2, then as `cifarResNet`.
 *
 * x [B,C,H,W], H, W ≥ 32 → [B,N]. Projections are `downsample.0` and `.1`. All names are torchvision's, and the initial
 * weights: convolutions from N(0, 2/fanOut).
 * Source: He et al. 2016; torchvision.models.resnet.
 */
export function imageNetResNet(name: string, blocks: Blocks): ModelFamily {
  return resNet(name, blocks, {
    width: WIDTH,
    about: "7×7 stem and max-pool, torchvision's names",
    source: "He et al. 2016; torchvision.models.resnet",
    stem: (net, x, width, act) => {
      const wide = { channels: width, kernel: 7, stride: 2, padding: 3, bias: false };
      const h = act(batchNormLayer(net.at("bn1"), fanOutConv(net.at("conv1"), x, wide)));
      return maxPool(h, { kernel: [3, 3], stride: [2, 2], padding: [1, 1] });
    },
    projection: "downsample",
    convolve: fanOutConv,
    shrinks: 32,
  });
}

type Act = (x: Node) => Node;
type Projection = "shortcut" | "downsample";

type Convolve = (scope: Scope, x: Node, options: ConvLayerOptions) => Node;

interface Variant {
  readonly width: number;
  readonly about: string;
  readonly source: string;
  readonly stem: (net: Scope, x: Node, width: number, act: Act) => Node;
  readonly projection: Projection;
  /** A convolution with this family's initial values. */
  readonly convolve: Convolve;
  /** How many times smaller than the image the last stage is, each way. */
  readonly shrinks: number;
}

const WIDTH = 64; // He et al.
const SAME = { kernel: 3, padding: 1, bias: false }; // keeps rows and columns

/** A convolution that starts as torchvision's: N(0, 2/fanOut), fanOut = channels·kernel². */
const fanOutConv: Convolve = (scope, x, options) =>
  convLayer(scope, x, { ...options, inits: { weight: heInit(options.channels * options.kernel ** 2) } });

function resNet(name: string, blocks: Blocks, variant: Variant): ModelFamily {
  const { about, source, stem, projection, convolve, shrinks } = variant;
  const depth = 2 + 2 * blocks.reduce((total, n) => total + n); // stem, two convolutions a block, head
  return defineFamily({
    name,
    about: `residual, ${depth} layers, ${about}`,
    source,
    schema: z.strictObject({ ...classifier, width: atLeastOr(1, variant.width), activation }),
    build: (options) => {
      const { inputShape, classes, width } = options;
      needSize(`model ${name}`, inputShape, shrinks);
      const features = (net: Scope, x: Node) => {
        const act = (h: Node) => activate(net, options.activation, h);
        let h = stem(net, x, width, act);
        blocks.forEach((count, stage) => {
          for (let i = 0; i < count; i++) {
            const stride = stage > 0 && i === 0 ? 2 : 1;
            const block = { channels: width * 2 ** stage, stride, act, projection, convolve };
            h = basicBlock(net.at(`layer${stage + 1}.${i}`), h, block);
          }
        });
        return globalAvgPool(h);
      };
      return defineModel({ name, options, inputShape, classes, head: "fc", features });
    },
  });
}

interface BlockOptions {
  readonly channels: number;
  readonly stride: number;
  readonly act: Act;
  readonly projection: Projection;
  readonly convolve: Convolve;
}

/** act(bn2(conv2(act(bn1(conv1 x)))) + skip x): x [B,I,H,W] → [B,O,H/stride,W/stride]; skip projects where shapes differ. */
function basicBlock(block: Scope, x: Node, { channels, stride, act, projection, convolve }: BlockOptions): Node {
  let h = act(batchNormLayer(block.at("bn1"), convolve(block.at("conv1"), x, { ...SAME, channels, stride })));
  h = batchNormLayer(block.at("bn2"), convolve(block.at("conv2"), h, { ...SAME, channels }));
  if (stride === 1 && x.shape[1] === channels) return act(add(h, x));
  const [conv, norm] = [block.at(`${projection}.0`), block.at(`${projection}.1`)];
  return act(add(h, batchNormLayer(norm, convolve(conv, x, { channels, kernel: 1, stride, bias: false }))));
}
