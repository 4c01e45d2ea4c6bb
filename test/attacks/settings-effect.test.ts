import { afterAll, describe, expect, it } from "vitest";
import { advance, SETTINGS, type SettingName, type SettingValue } from "../../src/attacks/index.ts";
import { key } from "../../src/util/index.ts";
import { attackOn, differing, mlpCase, observed, resNetCase } from "./tiny.ts";

type Overrides = Readonly<Record<string, SettingValue>>;

const PIXELS = { iterations: 3, generatorChannels: 4, generatorLatent: 8, labels: "inferred" };
const GENERATOR = { ...PIXELS, parameterisation: "generator" };
const SMALL = { ...PIXELS, parameterisation: "low-resolution" };
const SMOOTH = { l1Weight: 0, cosineWeight: 0, l2Weight: 1, maskRatio: 1, activationPenalty: 0 };
const LBFGS = { ...PIXELS, ...SMOOTH, optimiser: "l-bfgs", learningRate: 1, iterations: 6 };
const CMA = { ...PIXELS, optimiser: "cma-es", population: 6 };
const TWO = { ...PIXELS, restarts: 2 };
const POLISHED = { ...PIXELS, iterations: 12, polish: 0.75 };
const UPHILL = { ...PIXELS, gamma: 0.5, lookahead: "uphill" };

/** Settings that need another case: closed forms, a prior and adaptive attacks have tests of their own, BatchNorm's is below. */
type Elsewhere = "stretch" | "method" | "restore" | "bnPrior" | "labelRule" | "localModel" | "surrogateAt" | "adaptive";

/** For each setting: where it is changed from, and to what. */
const CHANGES: Readonly<Record<Exclude<SettingName, Elsewhere>, readonly [from: Overrides, to: Overrides]>> = {
  parameterisation: [PIXELS, GENERATOR],
  generatorChannels: [GENERATOR, { generatorChannels: 6 }],
  generatorLatent: [GENERATOR, { generatorLatent: 9 }],
  downscale: [SMALL, { downscale: 2 }],
  init: [PIXELS, { init: "grey" }],
  l1Weight: [PIXELS, { l1Weight: 100 }],
  cosineWeight: [PIXELS, { cosineWeight: 0 }],
  l2Weight: [PIXELS, { l2Weight: 100 }],
  distanceScope: [PIXELS, { distanceScope: "per-tensor" }],
  maskRatio: [PIXELS, { maskRatio: 0.1 }],
  maskScope: [PIXELS, { maskScope: "per-tensor" }],
  tv: [PIXELS, { tv: 0.1 }],
  l2Prior: [PIXELS, { l2Prior: 0.1 }],
  activationPenalty: [PIXELS, { activationPenalty: 0.1 }],
  gamma: [PIXELS, { gamma: 0.9 }],
  lookahead: [PIXELS, { lookahead: "uphill" }],
  lookaheadStep: [UPHILL, { lookaheadStep: 1 }],
  optimiser: [PIXELS, { optimiser: "sgd" }],
  learningRate: [PIXELS, { learningRate: 0.02 }],
  history: [LBFGS, { history: 1 }],
  population: [CMA, { population: 8 }],
  weightDecay: [{ ...PIXELS, optimiser: "adamw" }, { weightDecay: 1 }],
  signed: [PIXELS, { signed: true }],
  schedule: [PIXELS, { schedule: "cosine" }],
  langevin: [PIXELS, { langevin: 0.2 }],
  scheduleFloor: [{ ...PIXELS, schedule: "cosine" }, { scheduleFloor: 0.5 }],
  scheduleCycle: [{ ...PIXELS, schedule: "cosine" }, { scheduleCycle: 2 }],
  warmUp: [PIXELS, { warmUp: 5 }],
  clamp: [{ ...PIXELS, init: "normal" }, { clamp: false }],
  labels: [PIXELS, { labels: "joint" }],
  labelLearningRate: [{ ...PIXELS, labels: "joint" }, { labelLearningRate: 1 }],
  restarts: [{ ...PIXELS, consensus: "mean" }, { restarts: 2 }],
  consensus: [TWO, { consensus: "mean" }],
  groupConsistency: [TWO, { groupConsistency: 1 }],
  polish: [PIXELS, { polish: 0.4 }],
  polishLearningRate: [POLISHED, { polishLearningRate: 0.1 }],
  averageFrom: [PIXELS, { averageFrom: 0.3 }],
  medianFilter: [{ ...PIXELS, medianFilterFrom: 1 }, { medianFilter: 3 }],
  medianFilterFrom: [{ ...PIXELS, medianFilter: 3, medianFilterFrom: 1 }, { medianFilterFrom: 64 }],
  stopBelow: [PIXELS, { stopBelow: 1e6 }],
  iterations: [PIXELS, { iterations: 2 }],
  evaluations: [PIXELS, { evaluations: 4 }],
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
  it.each(Object.keys(CHANGES) as (keyof typeof CHANGES)[])("%s", async (name) => {
    const [from, to] = CHANGES[name];
    const [before, after] = [await reconstruction(from), await reconstruction({ ...from, ...to })];
    const difference = Math.max(...before.map((v, i) => Math.abs(v - after[i]!)));
    expect(difference).toBeGreaterThan(1e-4); // runs repeat bit for bit, so any difference is the setting's
  });
});

describe("the other settings", () => {
  it("are known by name", () => {
    const elsewhere: Elsewhere[] = [
      "method",
      "restore",
      "bnPrior",
      "labelRule",
      "stretch",
      "localModel",
      "surrogateAt",
      "adaptive",
    ];
    expect([...Object.keys(CHANGES), ...elsewhere].sort()).toEqual(Object.keys(SETTINGS).sort());
  });

  it("bnPrior acts where the statistics are granted, and only there", async () => {
    const of = resNetCase([0, 2]);
    const seen = await observed(of, ["batch-size", "bn-statistics"]);
    const images = async (bnPrior: number, observation: typeof seen) => {
      const run = await attackOn(of, "fedleak", { ...PIXELS, bnPrior }, { observation });
      const last = await advance(run, run.initial, 3);
      await run.release();
      return last!.state.tensors;
    };
    expect(differing(await images(1, seen), await images(0, seen))).toContain("x");
    const blind = await observed(of);
    expect(differing(await images(1, blind), await images(0, blind))).toEqual([]);
  });
});

describe("the settings about local steps", () => {
  it("act where the schedule is known, and only there", async () => {
    const local = { steps: 2, learningRate: 1 };
    const images = async (overrides: Overrides, observation: typeof OBSERVATION) => {
      const run = await attackOn(CASE, "fedleak", { ...PIXELS, ...overrides }, { observation });
      const last = await advance(run, run.initial, 3);
      await run.release();
      return last!.state.tensors;
    };
    const kinds = [
      {},
      { localModel: "unrolled" },
      { localModel: "surrogate" },
      { localModel: "surrogate", surrogateAt: 1 },
    ];
    const found = await Promise.all(kinds.map((kind) => images(kind, { ...OBSERVATION, local })));
    for (const [i, one] of found.entries()) {
      for (const other of found.slice(0, i)) expect(differing(one, other)).toContain("x");
    }
    const blind = await Promise.all(kinds.slice(0, 2).map((kind) => images(kind, OBSERVATION)));
    for (const one of blind) expect(differing(one, blind[0]!)).toEqual([]);
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
