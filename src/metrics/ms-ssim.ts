import { fail } from "../util/index.ts";
import { checkTwins, type Images } from "./images.ts";
import { planeOf, planeSimilarity, WINDOW } from "./ssim-plane.ts";

const WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333] as const; // Wang 2003, section 3.2; finest scale first

/**
 * Multi-scale structural similarity of each image of `a` to the image of the same index in `b`.
 *
 * Per channel: Π_{s<S} c_s^{w_s} · ssim_S^{w_S}, where scale s + 1 is scale s averaged over 2 × 2 pixels (an odd last row or
 * column falls away), c_s is the mean over window positions of SSIM's contrast-and-structure term at scale s, ssim_S the
 * mean SSIM at the last; then the mean over channels. Window and constants are those of `ssim`.
 * S = min(5, 1 + ⌊log2(min(H, W) / 11)⌋) scales: 5 from 176 px on, 2 for 32 px, 1 (which is SSIM) under 22 px.
 * a, b: [M,C,H,W] in [0,1], H and W ≥ 11 → M numbers in [0,1]; symmetric; 1 for equal images.
 * Throws FedleakError when H or W is under 11, the shapes differ or a pixel is not a number in [0,1].
 * Source: Wang, Simoncelli and Bovik, "Multiscale structural similarity for image quality assessment", Asilomar 2003.
 * Differs: where fewer than five scales fit, the first S weights are divided by their sum (our choice: no source says), so
 * values of images of different size do not compare; a negative mean counts as 0, since it has no real power.
 */
export function msSsim(a: Images, b: Images): number[] {
  checkTwins("ms-ssim", a, b);
  const [count, channels, height, width] = a.shape as readonly [number, number, number, number];
  if (scalesFor(a) === 0) {
    fail({
      who: "ms-ssim",
      must: `images must be at least ${WINDOW} × ${WINDOW} pixels, the size of the window`,
      got: `${height} × ${width}`,
      remedy: "Read PSNR instead: SSIM is not defined for smaller images.",
    });
  }
  const weights = weightsOf(scalesFor(a));
  const area = height * width;
  return Array.from({ length: count }, (_, m) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) {
      const plane = m * channels + c;
      sum += planeMsSsim(planeOf(a.data, plane, area), planeOf(b.data, plane, area), height, width, weights);
    }
    return sum / channels;
  });
}

/** How many of the five scales images [M,C,H,W] have room for; 0 where even SSIM's window does not fit. */
export function scalesFor({ shape }: Images): number {
  const side = Math.min(shape[2]!, shape[3]!);
  return WEIGHTS.filter((_, s) => Math.floor(side / 2 ** s) >= WINDOW).length;
}

function weightsOf(scales: number): readonly number[] {
  if (scales === WEIGHTS.length) return WEIGHTS; // as published; they sum to 1.0001
  const used = WEIGHTS.slice(0, scales);
  const total = used.reduce<number>((sum, weight) => sum + weight, 0);
  return used.map((weight) => weight / total);
}

/** The product over scales for one channel; a, b: [H,W]. */
function planeMsSsim(
  a: Float64Array,
  b: Float64Array,
  height: number,
  width: number,
  weights: readonly number[],
): number {
  const [weight, ...coarser] = weights;
  const { similarity, contrast } = planeSimilarity(a, b, height, width);
  if (coarser.length === 0) return Math.max(0, similarity) ** weight!;
  const [h, w] = [Math.floor(height / 2), Math.floor(width / 2)];
  const rest = planeMsSsim(halved(a, width, h, w), halved(b, width, h, w), h, w, coarser);
  return Math.max(0, contrast) ** weight! * rest;
}

/** Means over 2 × 2 pixels: [H,width] → [h,w]. */
function halved(plane: Float64Array, width: number, h: number, w: number): Float64Array {
  const out = new Float64Array(h * w);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const at = 2 * y * width + 2 * x;
      out[y * w + x] = (plane[at]! + plane[at + 1]! + plane[at + width]! + plane[at + width + 1]!) / 4;
    }
  }
  return out;
}
