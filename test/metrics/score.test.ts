import { describe, expect, test } from "vitest";
import { bootstrapMean95, mse, msSsim, psnrDb, scoreReconstruction, ssim } from "../../src/metrics/index.ts";
import { float32, row, stack } from "../../src/tensor/index.ts";
import { key } from "../../src/util/index.ts";
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
    expect(pairs.oneToOne.map((pair) => pair.msSsim)).toEqual(msSsim(truth, near));
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
    expect(score.msSsim).toEqual({ oneToOne: null, manyToOne: null });
    expect([score.pairs.oneToOne[0]!.ssim, score.pairs.oneToOne[0]!.msSsim]).toEqual([null, null]);
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

describe("the interval of the mean PSNR", () => {
  test("is the bootstrap over the images, from the key that is passed", () => {
    const many = noise([12, 1, 4, 4], 4);
    const score = scoreReconstruction(many, disturbed(many, 0.1, 5), key(5));
    const each = score.pairs.oneToOne.map((pair) => pair.psnrDb);
    expect(score.psnrInterval95Db.oneToOne).toEqual(bootstrapMean95([each], key(5)));
    expect(scoreReconstruction(many, disturbed(many, 0.1, 5), key(6)).psnrInterval95Db).not.toEqual(
      score.psnrInterval95Db,
    );
  });

  test("of one image is unknown", () => {
    expect(scoreReconstruction(stack([row(truth, 0)]), rolled).psnrInterval95Db.oneToOne).toBeNull();
  });
});
