import { clamped, float32, type Shape, sizeOf, type Tensor } from "../../tensor/index.ts";
import { type Key, normal, split, uniform } from "../../util/index.ts";

/** Every pixel from U(0,1): [B,C,H,W]. */
export function noiseImages(shape: Shape, key: Key): Tensor<"float32"> {
  return float32(shape, uniform(key, sizeOf(shape)));
}

/**
 * Random images with as much on every scale, as photographs have: 0.5 + Σ_s a_s·(grid of s×s cells, interpolated).
 *
 * s = 1, 2, 4, … below the image's side, a_s = 0.2/s^0.9 on normal grid values; two thirds of the variation is common to
 * all channels. Clipped to [0,1]. shape: [B,C,H,W]. Source: our choice; amplitudes fall with frequency as in
 * Field, "Relations between the statistics of natural images", JOSA A 1987.
 */
export function smoothImages(shape: Shape, key: Key): Tensor<"float32"> {
  const [count, channels, height, width] = shape as [number, number, number, number];
  const plane = height * width;
  const data = new Float32Array(sizeOf(shape)).fill(0.5);
  for (let b = 0; b < count; b++) {
    const own = split(key, b);
    for (let cells = 1; cells < Math.max(2, Math.min(height, width)); cells *= 2) {
      const grids = Array.from({ length: channels + 1 }, (_, c) =>
        normal(split(split(own, cells), c), (cells + 1) ** 2),
      );
      const common = grids[channels]!;
      const amplitude = CONTRAST / cells ** FALL;
      for (let c = 0; c < channels; c++) {
        const grid = grids[c]!.map((v, i) => amplitude * (Math.SQRT2 * common[i]! + v)); // 2 : 1 in variance
        const at = (b * channels + c) * plane;
        for (let i = 0; i < plane; i++) {
          data[at + i]! += between(grid, cells, Math.floor(i / width) / height, (i % width) / width);
        }
      }
    }
  }
  return clamped(float32(shape, data));
}

const CONTRAST = 0.2; // standard deviation of pixels of photographs, roughly; our choice
const FALL = 0.9; // near 1, at which every octave weighs the same; our choice

/** Bilinear interpolation in a grid of (cells+1)² values at y, x in [0,1). */
function between(grid: Float64Array, cells: number, y: number, x: number): number {
  const [row, column] = [Math.floor(y * cells), Math.floor(x * cells)];
  const [v, u] = [y * cells - row, x * cells - column];
  const at = row * (cells + 1) + column;
  const upper = (1 - u) * grid[at]! + u * grid[at + 1]!;
  const lower = (1 - u) * grid[at + cells + 1]! + u * grid[at + cells + 2]!;
  return (1 - v) * upper + v * lower;
}
