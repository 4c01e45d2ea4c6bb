import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { completeSpec, type RunRequest } from "../../src/audit/index.ts";
import { mismatchedObservation } from "../../src/audit/mismatched.ts";
import { prepareTrial } from "../../src/audit/trial.ts";
import { weightsFrom } from "../../src/audit/weights.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { float64, type Tensors, writeSafetensors } from "../../src/tensor/index.ts";
import { key } from "../../src/util/index.ts";
import { freshFolder, imageFolder } from "../cli/fedleak.ts";

const SMALL: RunRequest = { model: { name: "lenet-sigmoid" }, data: { size: 8 }, client: { batchSize: 3 } };
const trialOf = (request: RunRequest) => prepareTrial(completeSpec({ ...SMALL, ...request }));

test("the same spec gives the same trial; its completed spec too; another seed another one", async () => {
  const [one, again, other] = [await trialOf({}), await trialOf({}), await trialOf({ seed: 1 })];
  expect([again.specPrint, again.inputsPrint, again.indices]).toEqual([one.specPrint, one.inputsPrint, one.indices]);
  const completed = await prepareTrial(completeSpec(JSON.parse(JSON.stringify(one.spec))));
  expect([completed.specPrint, completed.inputsPrint]).toEqual([one.specPrint, one.inputsPrint]);
  expect(other.specPrint).not.toBe(one.specPrint);
  expect(other.inputsPrint).not.toBe(one.inputsPrint);
});

test("what the attack is given holds no image and no ungranted label", async () => {
  const { observation, truth } = await trialOf({});
  expect(observation.labels).toBeUndefined();
  expect(JSON.stringify(Object.keys(observation))).not.toMatch(/images|truth|loss/);
  const pixels = new Set([truth.images.data, truth.images.data.buffer]);
  const seen = JSON.stringify(observation, (_, value) => (pixels.has(value) ? "TRUTH" : value));
  expect(seen).not.toContain("TRUTH");
});

test("one image a class when asked for", async () => {
  const { truth } = await trialOf({ data: { size: 8, draw: "one-per-class" }, client: { batchSize: 8 } });
  expect([...truth.labels].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

describe("the mismatched observation", () => {
  test("is of other images of the data, and the same every time", async () => {
    const trial = await trialOf({});
    const [{ observation, about }, again] = [await mismatchedObservation(trial), await mismatchedObservation(trial)];
    expect(about).toMatch(/other images/);
    expect(observation.global).toEqual(trial.observation.global);
    expect(observation.update).not.toEqual(trial.observation.update);
    expect(again.observation.update).toEqual(observation.update);
  });

  test("is of noise where the data has no other batch", async () => {
    const dir = await imageFolder({ a: { "1.png": 10, "2.png": 200 }, b: { "1.png": 90 } });
    const trial = await trialOf({ data: { name: "image-folder", path: dir } });
    const { observation, about } = await mismatchedObservation(trial);
    expect(about).toMatch(/noise/);
    expect(observation.update).not.toEqual(trial.observation.update);
  });
});

describe("weights from a file", () => {
  const model = buildModel("resnet10", { inputShape: [3, 8, 8], classes: 4, width: 2 });
  const initial = initialise(model, key(3));
  const all: Tensors = { ...initial.params, ...initial.buffers };

  test("are those of the file, whatever its type of number; batch counters are passed over", () => {
    const doubles = Object.fromEntries(
      Object.entries(all).map(([n, t]) => [n, float64(t.shape, Array.from(t.data, Number))]),
    );
    const counted = { ...doubles, "bn1.num_batches_tracked": float64([], [9]) };
    expect(weightsFrom(counted, model, "f")).toEqual(initial);
  });

  test("must be complete, of the model, of its shapes, and finite", () => {
    const { "fc.bias": bias, ...missing } = all;
    expect(() => weightsFrom(missing, model, "f")).toThrow(/got missing fc\.bias\./);
    expect(() => weightsFrom({ ...all, extra: bias! }, model, "f")).toThrow(/got not of this model extra\./);
    expect(() => weightsFrom({ ...all, "fc.bias": float64([2], [1, 2]) }, model, "f")).toThrow(
      /of another shape: fc\.bias \[2\] instead of \[4\]/,
    );
    const nan = float64([4], [0, Number.NaN, 0, 0]);
    expect(() => weightsFrom({ ...all, "fc.bias": nan }, model, "f")).toThrow(/finite in float32; got NaN .* fc\.bias/);
  });

  test("are what the client trains with; weights that overflow are refused", async () => {
    const lenet = buildModel("lenet-sigmoid", { inputShape: [3, 8, 8], classes: 8 });
    const { params } = initialise(lenet, key(5));
    const path = join(freshFolder(), "weights.safetensors");
    writeFileSync(path, writeSafetensors(params));
    const trial = await trialOf({ model: { name: "lenet-sigmoid", weights: path } });
    expect(trial.weights.params).toEqual(params);
    expect(trial.weightsAbout).toMatch(/^from .*weights\.safetensors, round not stated$/);
    const huge = {
      ...params,
      "fc.0.weight": { ...params["fc.0.weight"]!, data: params["fc.0.weight"]!.data.map(() => 3e38) },
    };
    writeFileSync(path, writeSafetensors(huge));
    await expect(trialOf({ model: { name: "lenet-sigmoid", weights: path } })).rejects.toThrow(
      /number of its update must be finite; got (loss|NaN or infinity)/,
    );
  });
});
