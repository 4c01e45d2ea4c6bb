import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ssim } from "../../src/metrics/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { arbitraryImages, disturbed, noise } from "./images.ts";

describe("ssim", () => {
  test("of constant images is the luminance term alone", () => {
    const grey = float32([1, 1, 12, 12], new Array(144).fill(0.25));
    const white = float32([1, 1, 12, 12], new Array(144).fill(1));
    const expected = (2 * 0.25 * 1 + 1e-4) / (0.25 ** 2 + 1 + 1e-4);
    expect(ssim(grey, white)[0]).toBeCloseTo(expected, 10); // both values are exact in float32
  });

  test("of one window and its negative follows from the window's moments", () => {
    const a = noise([1, 1, 11, 11], 3);
    const b = float32(
      a.shape,
      a.data.map((pixel) => 1 - pixel),
    );
    const weight = (d: number) => Math.exp((-d * d) / 4.5);
    let [total, sum, square] = [0, 0, 0];
    for (let y = 0; y < 11; y++) {
      for (let x = 0; x < 11; x++) {
        const w = weight(y - 5) * weight(x - 5);
        total += w;
        sum += w * a.data[y * 11 + x]!;
        square += w * a.data[y * 11 + x]! ** 2;
      }
    }
    const m = sum / total;
    const variance = square / total - m * m; // of both images; their covariance is its negative
    const expected =
      ((2 * m * (1 - m) + 1e-4) * (-2 * variance + 9e-4)) / ((m * m + (1 - m) ** 2 + 1e-4) * (2 * variance + 9e-4));
    expect(ssim(a, b)[0]).toBeCloseTo(expected, 6); // 1 − pixel rounds to float32: 6e-8 a pixel
  });

  test("is the mean over channels", () => {
    const [a, b] = [noise([1, 2, 13, 12], 4), noise([1, 2, 13, 12], 5)];
    const channel = (images: typeof a, c: number) => float32([1, 1, 13, 12], images.data.slice(c * 156, (c + 1) * 156));
    const apart = [0, 1].map((c) => ssim(channel(a, c), channel(b, c))[0]!);
    expect(ssim(a, b)[0]).toBeCloseTo((apart[0]! + apart[1]!) / 2, 12);
  });

  test("falls as noise grows", () => {
    const images = float32(
      [1, 1, 16, 16],
      Array.from({ length: 256 }, (_, i) => (i % 16) / 15),
    );
    const [little, more, most] = [0.02, 0.1, 0.4].map((deviation) => ssim(images, disturbed(images, deviation, 6))[0]!);
    expect(little).toBeLessThan(1);
    expect(more).toBeLessThan(little!);
    expect(most).toBeLessThan(more!);
  });

  test("is 1 for equal images, symmetric, and within [−1,1]", () => {
    fc.assert(
      fc.property(arbitraryImages(2, 11, 12), arbitraryImages(2, 11, 12), (a, b) => {
        for (const value of ssim(a, a)) expect(value).toBeCloseTo(1, 12);
        expect(ssim(a, b)).toEqual(ssim(b, a));
        for (const value of ssim(a, b)) expect(Math.abs(value)).toBeLessThanOrEqual(1 + 1e-9);
      }),
      { numRuns: 30 }, // 264 pixels a draw: enough to catch a broken law, short enough to run often
    );
  });

  test("refuses images smaller than the window", () => {
    expect(() => ssim(noise([1, 1, 10, 32], 1), noise([1, 1, 10, 32], 2))).toThrow(
      "ssim: images must be at least 11 × 11 pixels, the size of the window; got 10 × 32. Read PSNR instead",
    );
  });
});
