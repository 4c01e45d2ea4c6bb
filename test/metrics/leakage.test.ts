import { describe, expect, test } from "vitest";
import { floors, leakage, scoreReconstruction } from "../../src/metrics/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { noise } from "./images.ts";

const row = (mse: number) => ({ mse, psnrDb: -10 * Math.log10(mse) });
const floor = (...errors: readonly number[]) => {
  const perImagePsnrDb = errors.map((error) => -10 * Math.log10(error));
  return { psnrDb: perImagePsnrDb.reduce((sum, v) => sum + v, 0) / errors.length, perImagePsnrDb };
};

describe("leakage", () => {
  test("measures each image against its own best floor, the mean against the highest", () => {
    const { aboveFloorDb, share } = leakage([row(0.01), row(0.05)], [floor(0.1, 0.1), floor(0.2, 0.05)]);
    expect(share).toBeCloseTo((0.9 + 0) / 2, 12);
    const highest = Math.max((10 + 10) / 2, (6.9897 + 13.0103) / 2);
    expect(aboveFloorDb).toBeCloseTo((20 + 13.0103) / 2 - highest, 4);
  });

  test("an image worse than its floor counts 0 and takes nothing from the others", () => {
    const floors = [floor(0.1, 0.1)];
    expect(leakage([row(0.02), row(0.9)], floors).share).toBeCloseTo(0.4, 12);
    expect(leakage([row(0.02), row(0.9)], floors).aboveFloorDb).toBeLessThan(0);
  });

  test("of one image both say the same: share 1 − 10^(−dB/10)", () => {
    const { aboveFloorDb, share } = leakage([row(0.025)], [floor(0.1)]);
    expect(share).toBeCloseTo(1 - 10 ** (-aboveFloorDb / 10), 12);
  });

  test("a floor without values per image counts with its mean", () => {
    expect(leakage([row(0.01)], [floor(0.2), { psnrDb: 10 }]).share).toBeCloseTo(0.9, 12);
  });

  test("exact images leak all of it, the floor's own image nothing", () => {
    const truth = noise([3, 1, 4, 4], 1);
    const found = Object.values(floors(truth));
    expect(leakage(scoreReconstruction(truth, truth).pairs.oneToOne, found).share).toBe(1);
    const grey = float32(truth.shape, new Float32Array(truth.data.length).fill(0.5));
    const { aboveFloorDb, share } = leakage(scoreReconstruction(truth, grey).pairs.oneToOne, found);
    expect(share).toBe(0);
    expect(aboveFloorDb).toBeLessThanOrEqual(0);
  });
});
