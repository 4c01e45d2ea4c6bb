import { row, shapeText, type Tensor } from "../tensor/index.ts";
import { fail } from "../util/index.ts";

/** A batch of images, [M,C,H,W] in [0,1]. */
export type Images = Tensor<"float32">;

const SLACK = 1e-6; // our choice: how far float32 rounding may carry a pixel out of [0,1]

/**
 * Checks that `images` is what every metric takes: [M,C,H,W] with M ≥ 1, finite, in [0,1].
 *
 * Throws FedleakError naming `who` and the first bad pixel: a diverged or normalised reconstruction must not become a number.
 */
export function checkImages(who: string, images: Images): void {
  if (images.shape.length !== 4 || images.data.length === 0) {
    fail({
      who,
      must: "images must be [M,C,H,W] with at least one pixel",
      got: shapeText(images.shape),
      remedy: "Add the batch axis.",
    });
  }
  const bad = images.data.findIndex((pixel) => !(pixel >= -SLACK && pixel <= 1 + SLACK)); // NaN fails both comparisons
  if (bad === -1) return;
  const pixel = images.data[bad]!;
  const image = Math.floor(bad / (images.data.length / images.shape[0]!));
  fail({
    who,
    must: "every pixel must be a finite number in [0,1]",
    got: `${pixel} in image ${image}`,
    remedy: Number.isFinite(pixel)
      ? "Undo the normalisation and clamp to [0,1] before scoring."
      : "The attack diverged: lower its step size, or report the trial as failed.",
  });
}

/** Checks two batches of images that are compared one by one: both valid and of one shape [M,C,H,W]. */
export function checkTwins(who: string, a: Images, b: Images): void {
  checkImages(who, a);
  checkImages(who, b);
  if (shapeText(a.shape) !== shapeText(b.shape)) {
    fail({
      who,
      must: "both batches must have one shape",
      got: `${shapeText(a.shape)} and ${shapeText(b.shape)}`,
      remedy: "Pair the images first.",
    });
  }
}

/** The images at `indices`, in that order, repeats allowed: [M,C,H,W] → [K,C,H,W]. */
export function take(images: Images, indices: readonly number[]): Images {
  const size = images.data.length / images.shape[0]!;
  const data = new Float32Array(indices.length * size);
  indices.forEach((index, k) => {
    data.set(row(images, index).data, k * size);
  });
  return { dtype: "float32", shape: [indices.length, ...images.shape.slice(1)], data };
}
