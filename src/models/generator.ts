import { z } from "zod";
import { describe, input, leakyRelu, type Node, narrow, reshape, resizeNearest, sigmoid } from "../graph/index.ts";
import {
  type BufferSpec,
  batchNormLayer,
  convLayer,
  declare,
  type ParamSpec,
  run,
  type Scope,
  spectralConvLayer,
  transposedConvLayer,
} from "../nn/index.ts";
import { fail } from "../util/index.ts";
import { atLeastOr, completeOptions, imageShape } from "./options.ts";

/** A network from latent vectors to images: the tensors it needs and the graph it makes of them. It holds no values. */
export interface Generator {
  /** Enough to build it again. */
  readonly options: Readonly<Record<string, unknown>>;
  /** L, the length of a latent vector. */
  readonly latent: number;
  /** [C,H,W] */
  readonly imageShape: readonly [number, number, number];
  readonly params: readonly ParamSpec[];
  readonly buffers: readonly BufferSpec[];
  /** z [B,L] → images [B,C,H,W] in (0,1), and the buffers for the next run. */
  forward(args: {
    readonly params: Readonly<Record<string, Node>>;
    readonly buffers: Readonly<Record<string, Node>>;
    readonly z: Node;
  }): { readonly images: Node; readonly buffers: Readonly<Record<string, Node>> };
}

const SLOPE = 0.1; // of the leaky ReLU, as the release
const FIRST = 4; // rows and columns of the first feature map, as the release
const FULL_WIDTH_UP_TO = 32; // from here on each doubling of the resolution halves the channels, as the release

const schema = z.strictObject({
  imageShape,
  channels: atLeastOr(1, 256), // as the release
  latent: atLeastOr(1, 128), // as the release
});

/**
 * The untrained generator of FedLeak's released demo, whose weights an attack optimises.
 *
 * z → 4×4 transposed convolution → per resolution 4, 8, … twice [3×3 spectrally normalised convolution, BatchNorm by the
 * batch, leaky ReLU 0.1], doubled by repetition between resolutions → 1×1 convolution → sigmoid.
 * Options: imageShape [C,H,W]; `channels` up to resolution 32, halved at each further one (64: /2, 128: /4); `latent`.
 * Result: images in (0,1); B ≥ 1.
 * Source: the demo at Zenodo, 10.5281/zenodo.15532455, as public re-runs of it describe it.
 * Differs (our choices): it grows to the smallest power of two that holds the image and crops the centre, so any size
 * works; past 128 the channels go on halving; convolutions before BatchNorm have no bias, which it would remove.
 */
export function buildGenerator(given: Readonly<Record<string, unknown>>): Generator {
  const options = completeOptions("generator", schema, given);
  const { latent, imageShape } = options;
  const network = (z: Node) => (net: Scope) => generate(net, z, imageShape, options.channels);
  return {
    options,
    latent,
    imageShape,
    ...declare(network(input("z", [1, latent]))),
    forward: ({ z, params, buffers }) => {
      if (z.shape.length !== 2 || z.shape[1] !== latent) {
        fail({ who: "generator", must: `z must be [B,${latent}]`, got: describe(z), remedy: "Build it for this z." });
      }
      const made = run(network(z), { params, buffers, mode: "train" });
      return { images: made.result, buffers: made.buffers };
    },
  };
}

function generate(net: Scope, z: Node, [c, h, w]: readonly [number, number, number], channels: number): Node {
  let x = transposedConvLayer(net.at("first"), reshape(z, [...z.shape, 1, 1]), { channels, kernel: FIRST }); // [B,ch,4,4]
  for (let size = FIRST; ; size *= 2) {
    const width = Math.max(1, Math.floor((channels * FULL_WIDTH_UP_TO) / Math.max(size, FULL_WIDTH_UP_TO)));
    for (const i of [0, 1]) x = generatorBlock(net.at(`stage${size}.${i}`), x, width);
    if (size >= Math.max(h, w)) break;
    x = resizeNearest(x, 2);
  }
  return sigmoid(convLayer(net.at("last"), cropCentre(x, h, w), { channels: c, kernel: 1 }));
}

/** x [B,I,H,W] → [B,channels,H,W] */
function generatorBlock(block: Scope, x: Node, channels: number): Node {
  const y = spectralConvLayer(block.at("conv"), x, { channels, kernel: 3, padding: 1 });
  return leakyRelu(batchNormLayer(block.at("bn"), y, { track: false }), SLOPE);
}

/** The middle h × w of images at least that large: [B,C,H,W] → [B,C,h,w]. */
function cropCentre(x: Node, h: number, w: number): Node {
  const start = (axis: number, extent: number) => Math.floor((x.shape[axis]! - extent) / 2);
  return narrow(narrow(x, 2, start(2, h), h), 3, start(3, w), w);
}
