import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { floors, psnrDb, scoreReconstruction, ssim } from "../../src/metrics/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { arbitraryImages, noise } from "./images.ts";

describe("floors", () => {
  // Two colour images of 1 × 2 pixels; red 0, 1 / 0, 1 and green 0.2, 0.2 / 0.6, 0.6.
  const truth = float32([2, 2, 1, 2], [0, 1, 0.2, 0.2, 0, 1, 0.6, 0.6]);

  test("flat grey is 0.5 everywhere", () => {
    expect(floors(truth).flatGrey.perImagePsnrDb[0]).toBeCloseTo(-10 * Math.log10((0.25 + 0.09) / 2), 4);
    expect(floors(truth).flatGrey.perImagePsnrDb[1]).toBeCloseTo(-10 * Math.log10((0.25 + 0.01) / 2), 4);
  });

  test("flat mean is the batch's mean of each channel", () => {
    expect(floors(truth).flatMean.perImagePsnrDb[0]).toBeCloseTo(-10 * Math.log10((0.25 + 0.04) / 2), 4);
    expect(floors(truth).flatMean.psnrDb).toBeCloseTo(-10 * Math.log10((0.25 + 0.04) / 2), 4);
  });

  test("batch mean is the mean picture", () => {
    expect(floors(truth).batchMean!.psnrDb).toBeCloseTo(-10 * Math.log10(0.04 / 2), 4);
  });

  test("a batch of one has no batch-mean floor, because the mean is the image", () => {
    expect("batchMean" in floors(noise([1, 3, 4, 4], 1))).toBe(false);
  });

  test("they equal the score of an attack that returns that image", () => {
    const images = noise([3, 1, 12, 13], 2);
    const grey = float32(images.shape, new Float32Array(images.data.length).fill(0.5));
    const score = scoreReconstruction(images, grey);
    const floor = floors(images).flatGrey;
    expect(floor.psnrDb).toBe(score.psnrDb.oneToOne);
    expect(floor.psnrDb).toBe(score.psnrDb.manyToOne);
    expect(floor.ssim).toBe(score.ssim.oneToOne);
    expect(floor.perImagePsnrDb).toEqual(psnrDb(images, grey));
    expect(floor.ssim).toBeCloseTo(ssim(images, grey).reduce((sum, value) => sum + value, 0) / 3, 12);
  });

  test("more knowledge never costs squared error", () => {
    fc.assert(
      fc.property(arbitraryImages(3, 2, 2), (images) => {
        const { flatGrey, flatMean, batchMean } = floors(images);
        const error = (perImage: readonly number[]) => perImage.reduce((sum, db) => sum + 10 ** (-db / 10), 0);
        const slack = 1e-6; // float32 rounding of the mean images, and the 1e-10 floor under each error
        expect(error(flatMean.perImagePsnrDb)).toBeLessThanOrEqual(error(flatGrey.perImagePsnrDb) + slack);
        expect(error(batchMean!.perImagePsnrDb)).toBeLessThanOrEqual(error(flatMean.perImagePsnrDb) + slack);
      }),
    );
  });

  test("ssim is null where its window does not fit", () => {
    expect(floors(noise([2, 1, 5, 5], 3)).flatGrey.ssim).toBeNull();
  });
});
