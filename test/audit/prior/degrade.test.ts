import { expect, test } from "vitest";
import { degrade, smallShape } from "../../../src/audit/prior/degrade.ts";
import { avgPool, input, resizeBicubic } from "../../../src/graph/index.ts";
import { evaluate } from "../../../src/runtime/index.ts";
import { float32, float64, sizeOf } from "../../../src/tensor/index.ts";
import { key, normal, uniform } from "../../../src/util/index.ts";

function degraded(shape: readonly number[], downscale: number, deviation: number, values?: ArrayLike<number>) {
  const small = smallShape(shape, downscale);
  const x = float64(shape, values ?? uniform(key(1), sizeOf(shape)));
  const made = degrade(input("x", shape), {
    downscale,
    noise: input("noise", small),
    deviation: input("deviation", [shape[0]!, 1, 1, 1]),
  });
  const noise = float32(small, normal(key(2), sizeOf(small)));
  const spread = float64([shape[0]!, 1, 1, 1], new Float64Array(shape[0]!).fill(deviation));
  return { x, y: evaluate({ y: made }, { x, noise, deviation: spread }).y! };
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), 0);

test("without noise and at the same size it is the image", () => {
  const { x, y } = degraded([2, 3, 5, 4], 1, 0);
  expect(largest(x.data as Float64Array, y.data)).toBeLessThan(1e-12);
});

test("where the factor divides the size it is mean pooling and bicubic enlargement", () => {
  const shape = [1, 2, 12, 8];
  const { x, y } = degraded(shape, 4, 0);
  const pooled = resizeBicubic(avgPool(input("x", shape), [4, 4]), [12, 8]);
  expect(largest(evaluate({ pooled }, { x }).pooled!.data, y.data)).toBeLessThan(1e-12);
  expect(largest(x.data as Float64Array, y.data)).toBeGreaterThan(0.1); // it does lose detail
});

test("a flat image stays flat at any size, its mean is kept", () => {
  for (const shape of [
    [1, 1, 7, 5],
    [1, 1, 28, 28],
    [1, 1, 9, 9],
  ]) {
    const { y } = degraded(shape, 4, 0, new Float64Array(sizeOf(shape)).fill(0.3));
    for (const v of y.data) expect(v).toBeCloseTo(0.3, 12);
  }
});

test("noise is added at the small size: one number a small pixel, in proportion to its deviation", () => {
  expect(smallShape([2, 3, 9, 32], 4)).toEqual([2, 3, 3, 8]);
  const [none, some, more] = [0, 0.1, 0.2].map((deviation) => degraded([1, 1, 8, 8], 8, deviation).y.data);
  const difference = some!.map((v, i) => v - none![i]!);
  for (const d of difference) expect(d).toBeCloseTo(difference[0]!, 10); // a single small pixel moves the whole image
  expect(Math.abs(difference[0]!)).toBeGreaterThan(1e-3);
  expect(more![0]! - none![0]!).toBeCloseTo(2 * difference[0]!, 10);
});
