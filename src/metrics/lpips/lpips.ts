import {
  add,
  broadcastTo,
  concat,
  constantOf,
  div,
  input,
  mean,
  mul,
  type Node,
  narrow,
  sqrt,
  square,
  sub,
  sum,
} from "../../graph/index.ts";
import { compile, type Device } from "../../runtime/index.ts";
import { FedleakError, fail } from "../../util/index.ts";
import { checkTwins, type Images, take } from "../images.ts";
import type { Ask, Backbone } from "./backbones.ts";
import { type LpipsWeights, linName } from "./weights.ts";

const SHIFT = [-0.03, -0.088, -0.188] as const; // the release's scaling layer: ImageNet's mean per channel, in [−1,1]
const SCALE = [0.458, 0.448, 0.45] as const; // the release's scaling layer: ImageNet's deviation per channel, in [−1,1]
const EPSILON = 1e-10; // the release's, added to the norm
const PAIRS = 8; // pairs a run of the program; our choice

/** A program that compares images of one shape. */
export interface Lpips {
  /** LPIPS of each image of `a` to the image of the same index in `b`: M numbers ≥ 0, 0 for equal images, symmetric. */
  distances(a: Images, b: Images): Promise<number[]>;
  release(): Promise<void>;
}

/**
 * LPIPS, the distance of two images in the activations of a trained network, of images of one shape [C,H,W].
 *
 * d = Σ_l mean over H_l × W_l of Σ_c w_lc (f̂_lc(a) − f̂_lc(b))², with f̂_l the activations of layer l divided at each place
 * by their norm over the channels (+ 1e-10), of the image in [−1,1] shifted and scaled per channel; w_l the linear weights.
 * C is 3, or 1: a grey image is three equal channels (our choice).
 * Throws FedleakError when C is another number or the images are too small for the backbone.
 * Source: Zhang, Isola, Efros, Shechtman and Wang, "The unreasonable effectiveness of deep features as a perceptual
 * metric", CVPR 2018, version 0.1 of its release.
 */
export async function openLpips(
  { backbone, tensors }: LpipsWeights,
  {
    imageShape,
    device,
    threads,
  }: { readonly imageShape: readonly number[]; readonly device: Device; readonly threads: number },
): Promise<Lpips> {
  const shape = [PAIRS, ...imageShape];
  const [a, b] = [input("a", shape), input("b", shape)];
  const ask: Ask = (name, wanted) => input(name, wanted);
  const program = await compile({ distance: lpipsOf(backbone, ask, a, b) }, { bake: tensors, device, threads });
  return {
    release: () => program.release(),
    distances: async (left, right) => {
      checkTwins("lpips", left, right);
      const count = left.shape[0]!;
      const out: number[] = [];
      for (let start = 0; start < count; start += PAIRS) {
        const some = Array.from({ length: PAIRS }, (_, i) => Math.min(start + i, count - 1)); // the last one fills up
        const { distance } = await program.run({ a: take(left, some), b: take(right, some) });
        out.push(...distance!.data.slice(0, count - start));
      }
      return out;
    },
  };
}

/** LPIPS as a graph: a, b [P,C,H,W] in [0,1] → [P]. */
export function lpipsOf(backbone: Backbone, ask: Ask, a: Node, b: Node): Node {
  const pairs = a.shape[0]!;
  const layers = tapsOf(backbone, ask, concat([a, b], 0)); // one pass over 2P images
  return layers
    .map((layer, l) => {
      const unit = div(layer, add(sqrt(sum(square(layer), [1], { keepDims: true })), EPSILON)); // [2P,C_l,H_l,W_l]
      const squares = square(sub(narrow(unit, 0, 0, pairs), narrow(unit, 0, pairs, pairs)));
      const weighted = mul(squares, ask(linName(l), [1, layer.shape[1]!, 1, 1]));
      return mean(sum(weighted, [1]), [1, 2]); // [P]
    })
    .reduce((total, part) => add(total, part));
}

function tapsOf({ name, taps }: Backbone, ask: Ask, images: Node): readonly Node[] {
  const [count, channels, height, width] = images.shape as readonly [number, number, number, number];
  if (channels !== 1 && channels !== 3) {
    fail({
      who: "lpips",
      must: "images must have 3 channels, or 1",
      got: `${channels}`,
      remedy: "Leave LPIPS away for these images.",
    });
  }
  const colour = broadcastTo(images, [count, 3, height, width]);
  const values = (all: readonly number[]) => constantOf([1, 3, 1, 1], Float64Array.from(all));
  try {
    return taps(ask, div(sub(sub(mul(colour, 2), 1), values(SHIFT)), values(SCALE)));
  } catch (cause) {
    if (!(cause instanceof FedleakError)) throw cause;
    return fail({
      who: "lpips",
      must: `images must be large enough for ${name}`,
      got: `${height} × ${width} pixels`,
      remedy: "Leave LPIPS away for these images, or take another backbone.",
      cause,
    });
  }
}
