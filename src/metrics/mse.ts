import { checkTwins, type Images } from "./images.ts";

const MSE_FLOOR = 1e-10; // our choice (no source says): an exact image counts as 100 dB instead of infinity

/**
 * Mean squared error of each image of `a` to the image of the same index in `b`.
 *
 * mse_m = (1 / CHW) Σ_{c,h,w} (a[m,c,h,w] − b[m,c,h,w])², summed in float64.
 * a, b: [M,C,H,W] in [0,1] → M numbers in [0,1]; symmetric; 0 exactly for equal images.
 * Throws FedleakError when the shapes differ or a pixel is not a number in [0,1].
 * Source: definition.
 */
export function mse(a: Images, b: Images): number[] {
  checkTwins("mse", a, b);
  return Array.from({ length: a.shape[0]! }, (_, m) => squaredError(a, m, b, m));
}

/**
 * Peak signal-to-noise ratio in decibels of each image of `a` to the image of the same index in `b`.
 *
 * psnr_m = 10 log10(1 / max(mse_m, 1e-10)); the peak is 1.
 * a, b: [M,C,H,W] in [0,1] → M numbers in [0,100]; symmetric; 100 exactly for equal images.
 * Throws FedleakError when the shapes differ or a pixel is not a number in [0,1].
 * Source: Huynh-Thu and Ghanbari, "Scope of validity of PSNR", Electronics Letters 44(13), 2008.
 * Differs: the floor under the MSE, so that one exact image does not turn a mean into infinity.
 */
export function psnrDb(a: Images, b: Images): number[] {
  checkTwins("psnr", a, b);
  return mse(a, b).map(decibels);
}

/** PSNR of an MSE in [0,1]: [0,100] dB. */
export function decibels(error: number): number {
  return -10 * Math.log10(Math.max(error, MSE_FLOOR)) + 0; // + 0: an error of 1 is 0 dB, not −0
}

/** Mean squared error of image `i` of `a` to image `j` of `b`; unchecked, for callers that checked the batches once. */
export function squaredError(a: Images, i: number, b: Images, j: number): number {
  const size = a.data.length / a.shape[0]!;
  const p = i * size;
  const q = j * size;
  let sum = 0;
  for (let k = 0; k < size; k++) {
    const difference = a.data[p + k]! - b.data[q + k]!;
    sum += difference * difference;
  }
  return sum / size;
}
