/** Side of the window in pixels. */
export const WINDOW = 11; // Wang 2004, section III-C
const SIGMA = 1.5; // Wang 2004, section III-C
const C1 = 0.01 ** 2; // (K1 · data range)², K1 of Wang 2004
const C2 = 0.03 ** 2; // (K2 · data range)², K2 of Wang 2004

/** Means over the window positions of one channel. */
export interface PlaneSimilarity {
  /** Luminance, contrast and structure: SSIM. */
  readonly similarity: number;
  /** Contrast and structure alone: (2 σab + C2) / (σa² + σb² + C2). */
  readonly contrast: number;
}

/** SSIM of one channel, and its part without luminance; a, b: [H,W] in [0,1], H and W ≥ 11. Source: see `ssim`. */
export function planeSimilarity(a: Float64Array, b: Float64Array, height: number, width: number): PlaneSimilarity {
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
  let similarity = 0;
  let contrast = 0;
  for (let i = 0; i < meanA.length; i++) {
    const ma = meanA[i]!;
    const mb = meanB[i]!;
    const varianceA = squareA[i]! - ma * ma;
    const varianceB = squareB[i]! - mb * mb;
    const covariance = product[i]! - ma * mb;
    const structure = (2 * covariance + C2) / (varianceA + varianceB + C2);
    contrast += structure;
    similarity += ((2 * ma * mb + C1) / (ma * ma + mb * mb + C1)) * structure;
  }
  return { similarity: similarity / meanA.length, contrast: contrast / meanA.length };
}

/** One channel in float64, [H,W]: the plane at M·C index `plane` of images [M,C,H,W] with H·W = `area`. */
export function planeOf(data: Float32Array, plane: number, area: number): Float64Array {
  return Float64Array.from(data.subarray(plane * area, (plane + 1) * area));
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
