import { fail } from "../util/index.ts";
import { checkTwins, type Images } from "./images.ts";

const WINDOW = 11; // Wang 2004, section III-C
const SIGMA = 1.5; // Wang 2004, section III-C
const C1 = 0.01 ** 2; // (K1 · data range)², K1 of Wang 2004
const C2 = 0.03 ** 2; // (K2 · data range)², K2 of Wang 2004

/**
 * Structural similarity of each image of `a` to the image of the same index in `b`.
 *
 * Per channel and window position: ssim = (2 μa μb + C1)(2 σab + C2) / ((μa² + μb² + C1)(σa² + σb² + C2)), where
 * μ, σ² and σab are moments weighted by an 11×11 Gaussian of σ 1.5 that sums to 1 (population covariance, no n/(n−1)),
 * C1 = 0.01², C2 = 0.03², data range 1. Only positions whose window lies inside the image count:
 * ssim_m = mean over C × (H−10) × (W−10) positions.
 * a, b: [M,C,H,W] in [0,1], H and W ≥ 11 → M numbers in [−1,1]; symmetric; 1 for equal images.
 * Throws FedleakError when H or W is under 11, the shapes differ or a pixel is not a number in [0,1].
 * Source: Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment", IEEE TIP 13(4), 2004; colour as the mean over
 * channels, as scikit-image does (gaussian_weights=True, sigma=1.5, use_sample_covariance=False).
 */
export function ssim(a: Images, b: Images): number[] {
  checkTwins("ssim", a, b);
  const [count, channels, height, width] = a.shape as readonly [number, number, number, number];
  if (!ssimFits(a)) {
    fail({
      who: "ssim",
      must: `images must be at least ${WINDOW} × ${WINDOW} pixels, the size of the window`,
      got: `${height} × ${width}`,
      remedy: "Read PSNR instead: SSIM is not defined for smaller images.",
    });
  }
  const area = height * width;
  return Array.from({ length: count }, (_, m) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) {
      const start = (m * channels + c) * area;
      const planeA = Float64Array.from(a.data.subarray(start, start + area)); // [H,W]
      const planeB = Float64Array.from(b.data.subarray(start, start + area));
      sum += planeSsim(planeA, planeB, height, width);
    }
    return sum / channels;
  });
}

/** Whether SSIM is defined for these images [M,C,H,W]: its window must fit inside. */
export function ssimFits(images: Images): boolean {
  return images.shape[2]! >= WINDOW && images.shape[3]! >= WINDOW;
}

/** Mean SSIM over the window positions of one channel; a, b: [H,W]. */
function planeSsim(a: Float64Array, b: Float64Array, height: number, width: number): number {
  const moment = (p: Float64Array, q: Float64Array) =>
    windowMeans(
      p.map((value, i) => value * q[i]!),
      height,
      width,
    ); // [H−10,W−10]
  const meanA = windowMeans(a, height, width);
  const meanB = windowMeans(b, height, width);
  const squareA = moment(a, a);
  const squareB = moment(b, b);
  const product = moment(a, b);
  let sum = 0;
  for (let i = 0; i < meanA.length; i++) {
    const ma = meanA[i]!;
    const mb = meanB[i]!;
    const varianceA = squareA[i]! - ma * ma;
    const varianceB = squareB[i]! - mb * mb;
    const covariance = product[i]! - ma * mb;
    sum += ((2 * ma * mb + C1) * (2 * covariance + C2)) / ((ma * ma + mb * mb + C1) * (varianceA + varianceB + C2));
  }
  return sum / meanA.length;
}

/** Gaussian-weighted means of all windows inside the plane, one axis after the other: [H,W] → [H−10,W−10]. */
function windowMeans(plane: Float64Array, height: number, width: number): Float64Array {
  const columns = width - WINDOW + 1;
  const rows = height - WINDOW + 1;
  const across = new Float64Array(height * columns); // [H,W−10]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < columns; x++) {
      let sum = 0;
      for (let k = 0; k < WINDOW; k++) sum += GAUSSIAN[k]! * plane[y * width + x + k]!;
      across[y * columns + x] = sum;
    }
  }
  const out = new Float64Array(rows * columns); // [H−10,W−10]
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      let sum = 0;
      for (let k = 0; k < WINDOW; k++) sum += GAUSSIAN[k]! * across[(y + k) * columns + x]!;
      out[y * columns + x] = sum;
    }
  }
  return out;
}

/** The window along one axis: exp(−x² / 2σ²) for x = −5 … 5, scaled to sum 1. */
const GAUSSIAN: readonly number[] = gaussian();

function gaussian(): number[] {
  const raw = Array.from({ length: WINDOW }, (_, k) => Math.exp(-((k - (WINDOW - 1) / 2) ** 2) / (2 * SIGMA ** 2)));
  const total = raw.reduce((sum, value) => sum + value, 0);
  return raw.map((value) => value / total);
}
