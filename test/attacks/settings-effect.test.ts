import { afterAll, describe, expect, it } from "vitest";
import { advance, SETTINGS, type SettingName, type SettingValue } from "../../src/attacks/index.ts";
import { key } from "../../src/util/index.ts";
import { attackOn, differing, mlpCase, observed, resNetCase } from "./tiny.ts";

type Overrides = Readonly<Record<string, SettingValue>>;

const PIXELS = { iterations: 3, generatorChannels: 4, generatorLatent: 8, labels: "inferred" };
const GENERATOR = { ...PIXELS, parameterisation: "generator" };
const UPHILL = { ...PIXELS, gamma: 0.5, lookahead: "uphill" };

/** For each setting: where it is changed from, and to what. */
const CHANGES: Readonly<Record<SettingName, readonly [from: Overrides, to: Overrides]>> = {
  parameterisation: [PIXELS, GENERATOR],
  generatorChannels: [GENERATOR, { generatorChannels: 6 }],
  generatorLatent: [GENERATOR, { generatorLatent: 9 }],
  init: [PIXELS, { init: "grey" }],
  l1Weight: [PIXELS, { l1Weight: 100 }],
  cosineWeight: [PIXELS, { cosineWeight: 0 }],
  l2Weight: [PIXELS, { l2Weight: 100 }],
  distanceScope: [PIXELS, { distanceScope: "per-tensor" }],
  maskRatio: [PIXELS, { maskRatio: 0.1 }],
  maskScope: [PIXELS, { maskScope: "per-tensor" }],
  tv: [PIXELS, { tv: 0.1 }],
  activationPenalty: [PIXELS, { activationPenalty: 0.1 }],
  gamma: [PIXELS, { gamma: 0.9 }],
  lookahead: [PIXELS, { lookahead: "uphill" }],
  lookaheadStep: [UPHILL, { lookaheadStep: 1 }],
  optimiser: [PIXELS, { optimiser: "sgd" }],
  learningRate: [PIXELS, { learningRate: 0.02 }],
  weightDecay: [{ ...PIXELS, optimiser: "adamw" }, { weightDecay: 1 }],
  signed: [PIXELS, { signed: true }],
  schedule: [PIXELS, { schedule: "cosine" }],
  warmUp: [PIXELS, { warmUp: 5 }],
  clamp: [{ ...PIXELS, init: "normal" }, { clamp: false }],
  labels: [PIXELS, { labels: "joint" }],
  labelLearningRate: [{ ...PIXELS, labels: "joint" }, { labelLearningRate: 1 }],
  medianFilter: [{ ...PIXELS, medianFilterFrom: 1 }, { medianFilter: 3 }],
  medianFilterFrom: [{ ...PIXELS, medianFilter: 3, medianFilterFrom: 1 }, { medianFilterFrom: 64 }],
  iterations: [PIXELS, { iterations: 2 }],
};

const CASE = mlpCase([1, 3]);
const OBSERVATION = await observed(CASE);
const results = new Map<string, Promise<Float32Array>>();

/** The reconstruction of a short run; each set of overrides is run once. */
function reconstruction(overrides: Overrides): Promise<Float32Array> {
  const id = JSON.stringify(overrides);
  const known = results.get(id) ?? attack(overrides);
  results.set(id, known);
  return known;
}

async function attack(overrides: Overrides): Promise<Float32Array> {
  const run = await attackOn(CASE, "fedleak", overrides, { observation: OBSERVATION });
  const last = await advance(run, run.initial, Number(overrides.iterations));
  const images = await run.reconstruct(last!.state);
  await run.release();
  expect(images.data.every(Number.isFinite)).toBe(true);
  return images.data;
}

afterAll(() => results.clear());

describe("every setting changes the result", () => {
  it.each(Object.keys(SETTINGS) as SettingName[])("%s", async (name) => {
    const [from, to] = CHANGES[name];
    const [before, after] = [await reconstruction(from), await reconstruction({ ...from, ...to })];
    const difference = Math.max(...before.map((v, i) => Math.abs(v - after[i]!)));
    expect(difference).toBeGreaterThan(1e-4); // runs repeat bit for bit, so any difference is the setting's
  });
});

describe("what is not a setting but changes the result", () => {
  it("the key, and BatchNorm's mode", async () => {
    const of = resNetCase([0, 2]);
    const observation = await observed(of);
    const images = async (plan: object) => {
      const run = await attackOn(of, "fedleak", PIXELS, { observation, ...plan });
      const last = await advance(run, run.initial, 3);
      await run.release();
      return last!.state.tensors;
    };
    const usual = await images({});
    expect(differing(await images({}), usual)).toEqual([]);
    expect(differing(await images({ key: key(2) }), usual)).toContain("x");
    expect(differing(await images({ mode: "eval" }), usual)).toContain("x");
  });
});
