import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { msSsim, ssim } from "../../src/metrics/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { arbitraryImages, disturbed, noise } from "./images.ts";

describe("ms-ssim", () => {
  test("of constant images is the luminance term of the last scale, to that scale's weight", () => {
    const flat = (side: number, value: number) => float32([1, 1, side, side], new Array(side * side).fill(value));
    const luminance = (2 * 0.25 * 1 + 1e-4) / (0.25 ** 2 + 1 + 1e-4);
    expect(msSsim(flat(176, 0.25), flat(176, 1))[0]).toBeCloseTo(luminance ** 0.1333, 10);
    expect(msSsim(flat(32, 0.25), flat(32, 1))[0]).toBeCloseTo(luminance ** (0.2856 / (0.0448 + 0.2856)), 10);
    expect(msSsim(flat(12, 0.25), flat(12, 1))[0]).toBeCloseTo(luminance, 10);
  });

  test("under 22 pixels one scale fits: it is SSIM", () => {
    const [a, b] = [noise([2, 3, 21, 30], 1), disturbed(noise([2, 3, 21, 30], 1), 0.2, 2)];
    expect(msSsim(a, b)[0]).toBeCloseTo(ssim(a, b)[0]!, 12);
    expect(msSsim(a, b)[1]).toBeCloseTo(ssim(a, b)[1]!, 12);
  });

  test("the second scale is the images averaged over 2 × 2 pixels", () => {
    // Adding ± 0.1 in a fine chequerboard changes only the first scale: its averages over 2 × 2 pixels are zero.
    const base = noise([1, 1, 22, 22], 3).data.map((pixel) => 0.25 + pixel / 2);
    const chequered = base.map((pixel, i) => pixel + ((Math.floor(i / 22) + i) % 2 === 0 ? 0.1 : -0.1));
    const a = float32([1, 1, 22, 22], base);
    const b = float32([1, 1, 22, 22], chequered);
    // Luminance hardly differs, so scale 1 alone is close to SSIM to the weight of that scale.
    expect(msSsim(a, b)[0]).toBeCloseTo(ssim(a, b)[0]! ** (0.0448 / (0.0448 + 0.2856)), 2);
    expect(msSsim(a, b)[0]).toBeLessThan(0.999);
  });

  test("an odd last row and column fall away at the next scale", () => {
    const a = noise([1, 1, 45, 45], 4);
    const even = (images: typeof a) =>
      float32(
        [1, 1, 44, 44],
        Array.from({ length: 44 * 44 }, (_, i) => images.data[Math.floor(i / 44) * 45 + (i % 44)]!),
      );
    const b = disturbed(a, 0.3, 5);
    expect(Math.abs(msSsim(a, b)[0]! - msSsim(even(a), even(b))[0]!)).toBeLessThan(0.01); // the first scale sees 1 of 45 lines more
  });

  test("fine noise costs it less than SSIM: the coarse scales average it away", () => {
    const smooth = float32(
      [1, 1, 64, 64],
      Array.from({ length: 4096 }, (_, i) => 0.2 + 0.6 * Math.sin((i % 64) / 8) ** 2),
    );
    const noisy = disturbed(smooth, 0.15, 6);
    expect(msSsim(smooth, noisy)[0]).toBeGreaterThan(ssim(smooth, noisy)[0]! + 0.1);
  });

  test("is 1 for equal images, symmetric and within [0,1]", () => {
    fc.assert(
      fc.property(arbitraryImages(1, 22, 23), arbitraryImages(1, 22, 23), (a, b) => {
        expect(msSsim(a, a)[0]).toBeCloseTo(1, 12);
        expect(msSsim(a, b)).toEqual(msSsim(b, a));
        expect(msSsim(a, b)[0]! >= 0 && msSsim(a, b)[0]! <= 1 + 1e-9).toBe(true);
      }),
      { numRuns: 15 }, // 506 pixels a draw
    );
  });

  test("a negative counts as 0 where its structure is reversed", () => {
    const a = noise([1, 1, 22, 22], 7);
    const negative = float32(
      a.shape,
      a.data.map((pixel) => 1 - pixel),
    );
    expect(ssim(a, negative)[0]).toBeLessThan(0);
    expect(msSsim(a, negative)).toEqual([0]);
  });

  test("refuses images smaller than the window", () => {
    expect(() => msSsim(noise([1, 1, 10, 32], 1), noise([1, 1, 10, 32], 2))).toThrow(
      "ms-ssim: images must be at least 11 × 11",
    );
  });
});
