import { z } from "zod";
import { concat, describe, input, leakyRelu, type Node, narrow, reshape, sigmoid } from "../graph/index.ts";
import { convLayer, declare, linearLayer, type ParamSpec, run, type Scope, transposedConvLayer } from "../nn/index.ts";
import { fail } from "../util/index.ts";
import { atLeastOr, completeOptions, imageShape } from "./options.ts";

/** A network from latent vectors to images that is trained once and then kept: the tensors it needs and its graph. */
export interface Decoder {
  /** Enough to build it again. */
  readonly options: Readonly<Record<string, unknown>>;
  /** L, the length of a latent vector. */
  readonly latent: number;
  /** N when it is told the classes, else 0. */
  readonly classes: number;
  /** [C,H,W] */
  readonly imageShape: readonly [number, number, number];
  readonly params: readonly ParamSpec[];
  /** z [B,L] and, with classes, labels [B,N], rows of probabilities → images [B,C,H,W] in (0,1). */
  forward(args: {
    readonly params: Readonly<Record<string, Node>>;
    readonly z: Node;
    readonly labels?: Node | undefined;
  }): Node;
}

const SLOPE = 0.1; // of the leaky ReLU; our choice, as the untrained generator
const FIRST = 16; // largest first map, in pixels a side; our choice: from 4 on, training takes five times the steps
const MOST_WIDE = 4; // the narrow end's channels, in units of the wide end's; our choice

const schema = z.strictObject({
  imageShape,
  channels: atLeastOr(1, 16), // our choice: a tenth of a second of one core to train on 64 images of 32×32
  latent: atLeastOr(1, 128), // our choice, as the untrained generator
  classes: atLeastOr(0, 0),
});

/**
 * A small convolutional decoder without normalisation, so that an image depends on its own latent vector alone.
 *
 * z (and labels) → linear to a map of half the size, 16×16 at most → 4×4 transposed convolutions of stride 2, leaky ReLU
 * 0.1 after each → 3×3 convolution → sigmoid. Options: imageShape [C,H,W]; `channels` at full resolution, twice as many
 * at half of it, four times below; `latent`; `classes`, 0 for none.
 * Source: the shape of DCGAN's generator, Radford et al., "Unsupervised representation learning with deep convolutional
 * generative adversarial networks", ICLR 2016. Differs (our choices): no BatchNorm; few
 * layers, for a short training; it grows to the smallest power of two that holds the image and crops the centre.
 */
export function buildDecoder(given: Readonly<Record<string, unknown>>): Decoder {
  const options = completeOptions("decoder", schema, given);
  const { latent, classes, imageShape } = options;
  const width = latent + classes;
  const network = (code: Node) => (net: Scope) => decode(net, code, imageShape, options.channels);
  return {
    options,
    latent,
    classes,
    imageShape,
    params: declare(network(input("z", [1, width]))).params,
    forward: ({ params, z, labels }) => {
      if (
        z.shape.length !== 2 ||
        z.shape[1] !== latent ||
        (classes > 0 && labels?.shape.join() !== `${z.shape[0]},${classes}`)
      ) {
        fail({
          who: "decoder",
          must: `z must be [B,${latent}]${classes > 0 ? ` and labels [B,${classes}]` : ""}`,
          got: [z, labels].flatMap((node) => (node ? [describe(node)] : [])).join(" and "),
          remedy: "Build it for these.",
        });
      }
      const code = classes > 0 ? concat([z, labels!], 1) : z;
      return run(network(code), { params, buffers: {}, mode: "eval" }).result;
    },
  };
}

function decode(net: Scope, code: Node, [c, h, w]: readonly [number, number, number], channels: number): Node {
  const full = 2 ** Math.max(1, Math.ceil(Math.log2(Math.max(h, w)))); // the power of two it grows to
  const firstSize = Math.min(FIRST, full / 2);
  const widthAt = (size: number) => channels * Math.min(MOST_WIDE, full / size);
  const first = leakyRelu(linearLayer(net.at("first"), code, widthAt(firstSize) * firstSize * firstSize), SLOPE);
  let x = reshape(first, [code.shape[0]!, widthAt(firstSize), firstSize, firstSize]);
  for (let size = 2 * firstSize; size <= full; size *= 2) {
    const up = transposedConvLayer(net.at(`up${size}`), x, {
      channels: widthAt(size),
      kernel: 4,
      stride: 2,
      padding: 1,
    });
    x = leakyRelu(up, SLOPE);
  }
  const start = (extent: number) => Math.floor((full - extent) / 2);
  const y = convLayer(net.at("last"), x, { channels: c, kernel: 3, padding: 1 });
  return sigmoid(narrow(narrow(y, 2, start(h), h), 3, start(w), w));
}
