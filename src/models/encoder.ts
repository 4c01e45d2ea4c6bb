import { z } from "zod";
import { concat, input, leakyRelu, type Node, narrow, reshape } from "../graph/index.ts";
import { convLayer, declare, linearLayer, type ParamSpec, run, type Scope } from "../nn/index.ts";
import { sizeOf } from "../tensor/index.ts";
import { atLeastOr, completeOptions, imageShape } from "./options.ts";

/** A network from images to distributions of latent vectors, needed only while a decoder is trained. */
export interface Encoder {
  readonly options: Readonly<Record<string, unknown>>;
  readonly params: readonly ParamSpec[];
  /** images [B,C,H,W] and, with classes, labels [B,N] → mean and logarithm of the variance, [B,L] each. */
  forward(args: {
    readonly params: Readonly<Record<string, Node>>;
    readonly images: Node;
    readonly labels?: Node | undefined;
  }): { readonly mean: Node; readonly logVariance: Node };
}

const SLOPE = 0.1; // of the leaky ReLU; our choice, as the decoder
const LAST = 16; // it halves until a side is no longer than this; our choice, as the decoder
const MOST_WIDE = 4; // channels of the deepest map, in units of the first's; our choice, as the decoder

const schema = z.strictObject({
  imageShape,
  channels: atLeastOr(1, 16), // our choice, as the decoder
  latent: atLeastOr(1, 128), // our choice, as the decoder
  classes: atLeastOr(0, 0),
});

/**
 * The mirror of `buildDecoder`: 4×4 convolutions of stride 2, leaky ReLU 0.1 after each, then linear to 2·L.
 *
 * Options as the decoder's. Source: the recognition model of Kingma and Welling,
 * "Auto-encoding variational Bayes", ICLR 2014; the layers are our choice.
 */
export function buildEncoder(given: Readonly<Record<string, unknown>>): Encoder {
  const options = completeOptions("encoder", schema, given);
  const { latent, classes, imageShape } = options;
  const network = (images: Node, labels: Node | undefined) => (net: Scope) =>
    encode(net, images, labels, { latent, channels: options.channels });
  return {
    options,
    params: declare(
      network(input("images", [1, ...imageShape]), classes > 0 ? input("labels", [1, classes]) : undefined),
    ).params,
    forward: ({ params, images, labels }) => {
      const told = classes > 0 ? labels : undefined;
      const both = run(network(images, told), { params, buffers: {}, mode: "eval" }).result;
      return { mean: narrow(both, 1, 0, latent), logVariance: narrow(both, 1, latent, latent) };
    },
  };
}

function encode(
  net: Scope,
  images: Node,
  labels: Node | undefined,
  { latent, channels }: { readonly latent: number; readonly channels: number },
): Node {
  let x = images;
  for (let i = 0; i === 0 || Math.max(x.shape[2]!, x.shape[3]!) > LAST; i++) {
    const width = channels * Math.min(MOST_WIDE, 2 ** i);
    x = leakyRelu(convLayer(net.at(`down${i}`), x, { channels: width, kernel: 4, stride: 2, padding: 1 }), SLOPE);
  }
  const flat = reshape(x, [x.shape[0]!, sizeOf(x.shape.slice(1))]);
  return linearLayer(net.at("last"), labels ? concat([flat, labels], 1) : flat, 2 * latent);
}
