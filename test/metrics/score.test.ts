import { describe, expect, test } from "vitest";
import { interval95, mse, psnrDb, scoreReconstruction, ssim } from "../../src/metrics/index.ts";
import { float32, row, stack } from "../../src/tensor/index.ts";
import { disturbed, noise } from "./images.ts";

const truth = noise([4, 3, 12, 12], 1);
const near = disturbed(truth, 0.1, 2);
const rolled = stack([1, 2, 3, 0].map((i) => row(near, i))); // reconstruction j shows true image j + 1

describe("score-reconstruction", () => {
  test("rows say who was paired and score exactly that pair", () => {
    const { pairs } = scoreReconstruction(truth, rolled);
    expect(pairs.oneToOne.map((pair) => pair.trueIndex)).toEqual([0, 1, 2, 3]);
    expect(pairs.oneToOne.map((pair) => pair.reconstructionIndex)).toEqual([3, 0, 1, 2]);
    expect(pairs.oneToOne.map((pair) => pair.mse)).toEqual(mse(truth, near));
    expect(pairs.oneToOne.map((pair) => pair.psnrDb)).toEqual(psnrDb(truth, near));
    expect(pairs.oneToOne.map((pair) => pair.ssim)).toEqual(ssim(truth, near));
    expect(pairs.manyToOne).toEqual(pairs.oneToOne); // noise images are far apart: every image's best is its own
  });

  test("the mean PSNR is the mean of the images' PSNR, not the PSNR of the mean error", () => {
    const reconstruction = stack([row(truth, 0), ...[1, 2, 3].map((i) => row(near, i))]);
    const score = scoreReconstruction(truth, reconstruction);
    const each = psnrDb(truth, reconstruction);
    expect(each[0]).toBe(100);
    expect(score.psnrDb.oneToOne).toBeCloseTo((each[0]! + each[1]! + each[2]! + each[3]!) / 4, 10);
    expect(score.psnrDb.oneToOne - -10 * Math.log10(score.mse.oneToOne)).toBeGreaterThan(10);
  });

  test("reuse pays under many-to-one only", () => {
    const same = stack([row(near, 2), row(near, 2), row(near, 2), row(near, 2)]);
    const grey = float32(truth.shape, new Float32Array(truth.data.length).fill(0.5));
    const oneGood = stack([row(near, 0), row(grey, 1), row(grey, 2), row(grey, 3)]);
    const twins = stack([row(truth, 0), row(truth, 0), row(truth, 1), row(truth, 1)]);
    const score = scoreReconstruction(twins, oneGood);
    expect(score.pairs.manyToOne.map((pair) => pair.reconstructionIndex).slice(0, 2)).toEqual([0, 0]);
    expect(score.psnrDb.manyToOne).toBeGreaterThan(score.psnrDb.oneToOne + 1);
    const flat = scoreReconstruction(truth, same);
    expect(flat.psnrDb.manyToOne).toBeCloseTo(flat.psnrDb.oneToOne, 10); // equal reconstructions: nothing to choose
  });

  test("ssim is null where its window does not fit, and PSNR stands", () => {
    const small = noise([2, 1, 8, 8], 3);
    const score = scoreReconstruction(small, small);
    expect(score.ssim).toEqual({ oneToOne: null, manyToOne: null });
    expect(score.pairs.oneToOne[0]!.ssim).toBeNull();
    expect(score.psnrDb.oneToOne).toBe(100);
  });

  test("a NaN is an error, not a number", () => {
    const diverged = float32(
      truth.shape,
      truth.data.map((pixel, i) => (i === 1000 ? Number.NaN : pixel)),
    );
    expect(() => scoreReconstruction(truth, diverged)).toThrow("NaN in image 2");
  });
});

describe("interval-95", () => {
  test("of 1, 2, 3 is 2 ± 4.3027 / √3", () => {
    const [low, high] = interval95([1, 2, 3])!;
    expect(low).toBeCloseTo(2 - 4.3027 / Math.sqrt(3), 4);
    expect(high).toBeCloseTo(2 + 4.3027 / Math.sqrt(3), 4);
  });

  test.each([
    [5, 2.5706], // degrees of freedom and 97.5 % quantile, from a table of Student's t
    [10, 2.2281],
    [31, 2.0395],
    [100, 1.984],
  ])("uses Student's quantile for %d degrees of freedom", (freedom, quantile) => {
    const n = freedom + 1;
    const values = Array.from({ length: n }, (_, i) => (i % 2 === 0 ? 1 : -1)); // Σv² = n
    const centre = values.reduce((sum, value) => sum + value, 0) / n;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (n - 1));
    const [low, high] = interval95(values)!;
    expect(Math.abs((high - low) / 2 - (quantile * deviation) / Math.sqrt(n))).toBeLessThan(0.003); // the expansion's stated error
  });

  test("of one value is unknown", () => {
    expect(interval95([7])).toBeNull();
    expect(scoreReconstruction(stack([row(truth, 0)]), rolled).psnrInterval95Db.oneToOne).toBeNull();
  });
});
