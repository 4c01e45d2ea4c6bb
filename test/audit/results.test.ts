import { beforeAll, describe, expect, test } from "vitest";
import { DISTRACTORS } from "../../src/audit/identify.ts";
import { checkRecord, completeSpec, type RunRecord, type RunRequest, type RunResults } from "../../src/audit/index.ts";
import { addMismatchedFloor, scoreRun } from "../../src/audit/results.ts";
import { prepareTrial, type Trial } from "../../src/audit/trial.ts";
import { type Images, leakage } from "../../src/metrics/index.ts";
import { squeezenet } from "../../src/metrics/lpips/backbones.ts";
import { disturbed, noise } from "../metrics/images.ts";
import { madeUpWeights } from "../metrics/lpips/weights-of.ts";
import { fakeRun } from "../report/fixture.ts";

const REQUEST: RunRequest = {
  model: { name: "lenet-sigmoid" },
  data: { size: 20 }, // room for SSIM and for LPIPS on SqueezeNet
  client: { batchSize: 4, grants: ["batch-size", "labels"] },
};
const trialOf = (request: RunRequest = {}) => prepareTrial(completeSpec({ ...REQUEST, ...request }));
const scored = (trial: Trial, images: Images) =>
  scoreRun(trial, {
    images,
    labels: trial.truth.labels,
    state: { iteration: 3, evaluations: 6, tensors: {} } as unknown as Parameters<typeof scoreRun>[1]["state"],
    seconds: 1,
  });

const present = <T>(entries: Readonly<Record<string, T | undefined>>) =>
  Object.values(entries).filter((value) => value !== undefined);

let trial: Trial;
let near: RunResults;
let far: RunResults;
let small: Trial;
let record: RunRecord;
beforeAll(async () => {
  [trial, small, record] = [await trialOf(), await trialOf({ data: { size: 8 } }), (await fakeRun()).record];
  near = await scored(trial, disturbed(trial.truth.images, 0.02, 1));
  far = await scored(trial, noise(trial.truth.images.shape, 2));
});

describe("what a run is scored by", () => {
  test("is a sound record's results", () => {
    expect(checkRecord({ ...record, results: near }, "r").results).toEqual(near);
    expect(near.notMeasured).toEqual({ lpips: "no weights were given" });
  });

  test("near images are identified and leak, noise is not and does not", () => {
    expect(near.identification!.by.map(({ measure }) => measure)).toEqual(["ssim", "feature-distance"]);
    for (const { share } of near.identification!.by) expect(share).toEqual({ oneToOne: 1, manyToOne: 1 });
    expect(far.identification!.by[0]!.share.oneToOne).toBeLessThan(1);
    expect(near.leakage.oneToOne.share).toBeGreaterThan(0.9);
    expect(far.leakage.oneToOne).toEqual(leakage(far.pairs.oneToOne, present(far.floors)));
    expect(far.leakage.oneToOne.share).toBe(0);
    expect(near.featureDistance!.mean.oneToOne).toBeLessThan(far.featureDistance!.mean.oneToOne / 3);
    expect(near.featureDistance!.mean.oneToOne).toBeLessThan(Math.min(...present(near.featureDistance!.floors)));
  });

  test("is the same every time", async () => {
    expect(await scored(trial, disturbed(trial.truth.images, 0.02, 1))).toEqual(near);
  });
});

describe("distractors", () => {
  test("are other images of the data, never of the batch; no two true images share one while they last", async () => {
    const taken: (readonly number[])[] = [];
    const source: Trial["source"] = {
      ...trial.source,
      take: async (indices) => {
        taken.push(indices);
        return trial.source.take(indices);
      },
    };
    await scored({ ...trial, source }, trial.truth.images);
    expect(taken.length).toBe(4);
    const rest = trial.source.labels.length - 4;
    for (const indices of taken) {
      expect(indices.length).toBe(Math.min(DISTRACTORS.most, rest));
      expect(new Set(indices).size).toBe(indices.length);
      expect(indices.filter((i) => trial.indices.includes(i))).toEqual([]);
    }
    expect(near.identification!.distractors).toBe(taken[0]!.length);
    expect(near.identification!.chance).toBe(1 / (taken[0]!.length + 1));
  });

  test("too few of them: no rate, and why", async () => {
    const indices = trial.source.labels.map((_, i) => i).slice(2); // two images are left outside the batch
    const { identification, notMeasured } = await scored({ ...trial, indices }, trial.truth.images);
    expect(identification).toBeNull();
    expect(notMeasured.identification).toBe("the data has 2 images outside the batch, fewer than 3");
  });
});

describe("small images", () => {
  test("under the window have no SSIM, and the rest all the same", async () => {
    const results = await scored(small, disturbed(small.truth.images, 0.02, 1));
    expect([results.ssim.oneToOne, results.msSsim.manyToOne, results.floors.flatGrey.msSsim]).toEqual([
      null,
      null,
      null,
    ]);
    expect(results.notMeasured).toMatchObject({
      ssim: "images under 11 × 11 pixels",
      "ms-ssim": "images under 11 × 11 pixels",
    });
    expect(results.identification!.by.map(({ measure }) => measure)).toEqual(["feature-distance"]);
    expect(results.identification!.by[0]!.share.oneToOne).toBe(1);
    expect(checkRecord({ ...record, results }, "r").results).toEqual(results);
  });
});

describe("lpips", () => {
  const lpips = { weights: { backbone: squeezenet, tensors: madeUpWeights(squeezenet, 1) }, about: "made up" };

  test("with weights is measured, beside its floors, and identifies first", async () => {
    const results = await scored({ ...trial, lpips }, disturbed(trial.truth.images, 0.02, 1));
    expect(results.lpips!.mean.oneToOne).toBeGreaterThan(0);
    expect(results.lpips!.mean.oneToOne).toBeLessThan(Math.min(...present(results.lpips!.floors)));
    expect(results.identification!.by[0]).toMatchObject({ measure: "lpips", share: { oneToOne: 1, manyToOne: 1 } });
    expect(results.notMeasured).toEqual({});
  });

  test("of images that are too small for it says so", async () => {
    const results = await scored({ ...small, lpips }, small.truth.images);
    expect(results.lpips).toBeNull();
    expect(results.notMeasured.lpips).toMatch(/large enough for squeezenet; got 8 × 8 pixels/);
  });
});

test("the mismatched floor enters every measure, and leakage is taken against it", async () => {
  const almost = disturbed(trial.truth.images, 0.05, 3);
  const results = await addMismatchedFloor(trial, near, almost);
  expect(results.floors.mismatchedGradient!.psnrDb).toBeGreaterThan(near.floors.flatGrey.psnrDb);
  expect(results.leakage.oneToOne.aboveFloorDb).toBeLessThan(near.leakage.oneToOne.aboveFloorDb - 5);
  expect(results.leakage.oneToOne.share).toBeLessThan(near.leakage.oneToOne.share);
  const { mismatchedGradient, flatGrey } = results.featureDistance!.floors;
  expect(mismatchedGradient!).toBeGreaterThan(near.featureDistance!.mean.oneToOne);
  expect(mismatchedGradient!).toBeLessThan(flatGrey);
  expect(checkRecord({ ...record, results }, "r").results).toEqual(results);
});
