import { z } from "zod";
import { add, describe, input, leakyRelu, type Node, narrow } from "../graph/index.ts";
import { convLayer, declare, type ParamSpec, run, type Scope, transposedConvLayer } from "../nn/index.ts";
import { fail } from "../util/index.ts";
import { atLeastOr, completeOptions } from "./options.ts";

/** A network from degraded images to clean ones: the tensors it needs and its graph. Images of any size. */
export interface Restorer {
  /** Enough to build it again. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly params: readonly ParamSpec[];
  /** images [B,C,H,W] → same shape, about [0,1]. */
  forward(args: { readonly params: Readonly<Record<string, Node>>; readonly images: Node }): Node;
}

const SLOPE = 0.1; // of the leaky ReLU; our choice, as the decoder

const schema = z.strictObject({
  colours: atLeastOr(1, 3),
  channels: atLeastOr(1, 32), // our choice: about as costly to train as the decoder
  blocks: atLeastOr(0, 2), // our choice: each sees 8 pixels further
});

/**
 * A small residual network that works at half resolution and adds a correction to the image.
 *
 * 4×4 convolution of stride 2 → `blocks` × [x + conv(leaky ReLU(conv x)), 3×3] → 4×4 transposed convolution of stride 2,
 * added to the input. Options: `colours` C, `channels`, `blocks`. No normalisation.
 * Source: residual restoration as Zhang et al., "Beyond a Gaussian denoiser", TIP 2017; it stands in for the learned
 * post-processor of Yue et al., USENIX Security 2023. The layers are our choice.
 */
export function buildRestorer(given: Readonly<Record<string, unknown>>): Restorer {
  const options = completeOptions("restorer", schema, given);
  const network = (images: Node) => (net: Scope) => restore(net, images, options);
  return {
    options,
    params: declare(network(input("images", [1, options.colours, 8, 8]))).params, // any size does
    forward: ({ params, images }) => {
      if (images.shape.length !== 4 || images.shape[1] !== options.colours) {
        const must = `images must be [B,${options.colours},H,W]`;
        fail({ who: "restorer", must, got: describe(images), remedy: "Build it for these colours." });
      }
      return run(network(images), { params, buffers: {}, mode: "eval" }).result;
    },
  };
}

function restore(
  net: Scope,
  images: Node,
  { colours, channels, blocks }: { readonly colours: number; readonly channels: number; readonly blocks: number },
): Node {
  const [h, w] = images.shape.slice(2) as [number, number];
  const same = { channels, kernel: 3, padding: 1 };
  let x = leakyRelu(convLayer(net.at("first"), images, { channels, kernel: 4, stride: 2, padding: 2 }), SLOPE);
  for (let i = 0; i < blocks; i++) {
    const block = net.at(`block${i}`);
    const inner = leakyRelu(convLayer(block.at("conv1"), x, same), SLOPE);
    x = leakyRelu(add(x, convLayer(block.at("conv2"), inner, same)), SLOPE);
  }
  // Maps of ⌊H/2⌋ + 1 rows become 2⌊H/2⌋ + 2; the first stands before the image, so what is left holds an odd H too.
  const y = transposedConvLayer(net.at("last"), x, { channels: colours, kernel: 4, stride: 2, padding: 1 });
  return add(images, narrow(narrow(y, 2, 1, h), 3, 1, w));
}
