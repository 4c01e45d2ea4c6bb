import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mse, psnrDb } from "../../src/metrics/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { arbitraryImages, noise } from "./images.ts";

const TOLERANCE = 1e-6; // a float32 pixel is off by up to 6e-8; differences of order 1 keep 6 digits

describe("mse and psnr by hand", () => {
  test("one value per image, mean over channels and pixels", () => {
    const a = float32([2, 1, 1, 2], [0, 1, 0.5, 0.5]);
    const b = float32([2, 1, 1, 2], [1, 1, 0.5, 0.6]);
    expect(mse(a, b)[0]).toBe(0.5);
    expect(mse(a, b)[1]).toBeCloseTo(0.005, 7);
  });

  test("an error of 0.1 everywhere is 20 dB, black against white 0 dB", () => {
    const grey = float32([1, 3, 2, 2], new Array(12).fill(0.5));
    const lighter = float32([1, 3, 2, 2], new Array(12).fill(0.6));
    expect(psnrDb(grey, lighter)[0]).toBeCloseTo(20, 4); // 0.6 and 0.5 differ by 0.1 within 3e-8, 3e-6 dB
    expect(psnrDb(float32([1, 1, 1, 1], [0]), float32([1, 1, 1, 1], [1]))).toEqual([0]);
  });

  test("an exact image is 100 dB, not infinity", () => {
    const images = noise([3, 3, 5, 4], 1);
    expect(psnrDb(images, images)).toEqual([100, 100, 100]);
    expect(mse(images, images)).toEqual([0, 0, 0]);
  });
});

describe("laws", () => {
  const pairs = fc.tuple(arbitraryImages(2, 3, 2), arbitraryImages(2, 3, 2));

  test("both are symmetric and within their range", () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        expect(mse(a, b)).toEqual(mse(b, a));
        expect(psnrDb(a, b)).toEqual(psnrDb(b, a));
        for (const value of mse(a, b)) expect(value >= 0 && value <= 1).toBe(true);
        for (const value of psnrDb(a, b)) expect(value >= 0 && value <= 100).toBe(true);
      }),
    );
  });

  test("halving every difference adds 6.02 dB and quarters the error", () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const halfway = float32(
          a.shape,
          a.data.map((pixel, i) => (pixel + b.data[i]!) / 2),
        );
        const [far, near] = [mse(a, b), mse(a, halfway)];
        far.forEach((error, m) => {
          expect(Math.abs(near[m]! - error / 4)).toBeLessThan(TOLERANCE);
          if (error > 1e-3) expect(psnrDb(a, halfway)[m]! - psnrDb(a, b)[m]!).toBeCloseTo(20 * Math.log10(2), 2);
        });
      }),
    );
  });

  test("a larger error never has the higher PSNR", () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const [p, q] = mse(a, b) as [number, number];
        const [s, t] = psnrDb(a, b) as [number, number];
        expect(p < q ? s >= t : s <= t).toBe(true);
      }),
    );
  });
});

describe("refusals", () => {
  const good = noise([2, 1, 2, 2], 1);

  test("different shapes", () => {
    expect(() => mse(good, noise([1, 1, 2, 2], 2))).toThrow(
      "mse: both batches must have one shape; got [2,1,2,2] and [1,1,2,2]",
    );
  });

  test("a missing batch axis", () => {
    expect(() => psnrDb(noise([1, 2, 2], 1), noise([1, 2, 2], 2))).toThrow("images must be [M,C,H,W]");
  });

  test.each([
    [Number.NaN, "got NaN in image 1. The attack diverged"],
    [Number.POSITIVE_INFINITY, "got Infinity in image 1. The attack diverged"],
    [-0.5, "got -0.5 in image 1. Undo the normalisation"],
    [2, "got 2 in image 1. Undo the normalisation"],
  ])("the pixel %d", (pixel, message) => {
    const bad = float32(
      [2, 1, 2, 2],
      good.data.map((value, i) => (i === 5 ? pixel : value)),
    );
    expect(() => mse(good, bad)).toThrow(message);
    expect(() => psnrDb(bad, good)).toThrow(message);
  });
});
