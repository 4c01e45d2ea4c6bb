import { describe, expect, it } from "vitest";
import { type AttackState, advance, type StepResult } from "../../src/attacks/index.ts";
import { float32, readSafetensors, scalarOf, type Tensor, writeSafetensors } from "../../src/tensor/index.ts";
import { key } from "../../src/util/index.ts";
import { attackOn, type Case, differing, lenetCase, mlpCase, mse, observed, resNetCase, scrambled } from "./tiny.ts";

/** The mean squared error of the best flat image: what an attack has to beat. */
function flatMse(images: Tensor<"float32">): number {
  const mean = images.data.reduce((a, b) => a + b, 0) / images.data.length;
  return mse(images, float32(images.shape, new Float32Array(images.data.length).fill(mean)));
}

function poisoned(t: Tensor<"float32">): Tensor<"float32"> {
  return float32(
    t.shape,
    t.data.map((v, i) => (i === 0 ? Number.NaN : v)),
  );
}

const SHORT = {
  fedleak: { iterations: 250, learningRate: 0.05, labels: "joint" },
  "fedleak-release": { iterations: 160, generatorChannels: 12, medianFilter: 0 },
  "inverting-gradients": { iterations: 400 },
  dlg: { iterations: 150, labelRule: "paper" },
  idlg: { iterations: 150 },
  "grad-inversion": { iterations: 200, warmUp: 10, l2Weight: 1, restarts: 2 }, // a small net's gradient is small
  bayes: { iterations: 300 },
  "fedleak-plus": { iterations: 200, generatorChannels: 12, learningRate: 0.01 },
  "ci-net": { iterations: 200, generatorChannels: 12, learningRate: 0.01 },
} as const;

describe.each(Object.keys(SHORT) as (keyof typeof SHORT)[])("%s on one image through a small sigmoid net", (preset) => {
  const of: Case = lenetCase([3]);
  const overrides = SHORT[preset];

  async function attack(plan: object) {
    const run = await attackOn(of, preset, overrides, plan);
    const steps: StepResult[] = [];
    const last = await advance(run, run.initial, overrides.iterations, (result) => {
      steps.push(result);
      return true;
    });
    const images = await run.reconstruct(last!.state);
    const labels = run.inferredLabels(last!.state);
    await run.release();
    return { error: mse(images, of.images), steps, images, labels };
  }

  it("lowers the loss, beats a flat image by far, and its control fails", { timeout: 20_000 }, async () => {
    const { error, steps, images, labels } = await attack({});
    const losses = steps.map(({ loss }) => loss);
    expect(Math.min(...losses)).toBeLessThan(losses[0]! / 5);
    expect(steps.at(-1)!.cosine).toBeGreaterThan(0.99);
    expect(labels).toEqual([3]);
    expect(Math.min(...images.data)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...images.data)).toBeLessThanOrEqual(1);
    expect(error).toBeLessThan(flatMse(of.images) / 4);
    const control = await attack({ observation: scrambled(await observed(of)) });
    expect(control.error).toBeGreaterThan(flatMse(of.images));
  });
});

describe("a run is its state", () => {
  const CASES = [
    ["pixels and joint labels", "fedleak", { iterations: 8, schedule: "cosine" }],
    ["generator", "fedleak-release", { iterations: 8, generatorChannels: 4 }],
    ["l-bfgs", "dlg", { iterations: 8, labelRule: "paper" }],
    ["cma-es", "inverting-gradients", { iterations: 8, optimiser: "cma-es", population: 4 }],
    ["several candidates with noise", "grad-inversion", { iterations: 8, restarts: 3, warmUp: 0 }],
    ["polish and averaging", "ci-net", { iterations: 8, generatorChannels: 4, polish: 0.5, averageFrom: 0.3 }],
  ] as const;

  it.each(CASES)(
    "%s: the same key gives the same bits; stopping and storing changes nothing",
    async (_, preset, over) => {
      const of = resNetCase([0, 2]);
      const observation = await observed(of);
      const prepare = () => attackOn(of, preset, over, { observation });
      const whole = await prepare();
      const uninterrupted = (await advance(whole, whole.initial, 8))!;

      const first = await prepare();
      expect(differing(first.initial.tensors, whole.initial.tensors)).toEqual([]);
      const halfway = (await advance(first, first.initial, 5))!.state;
      await first.release();
      const second = await prepare();
      const resumed = (await advance(second, stored(halfway), 8))!;

      expect(differing(resumed.state.tensors, uninterrupted.state.tensors)).toEqual([]);
      expect(second.fits(halfway)).toBe(true);
      expect(second.fits({ ...halfway, tensors: {} })).toBe(false);
      expect(resumed.loss).toBe(uninterrupted.loss);
      const [a, b] = [await second.reconstruct(resumed.state), await whole.reconstruct(uninterrupted.state)];
      expect(differing({ images: a }, { images: b })).toEqual([]);
      expect(resumed.state.iteration).toBe(8);
      expect(resumed.state.evaluations).toBe(uninterrupted.state.evaluations);
      await Promise.all([second.release(), whole.release()]);
    },
  );

  /** A state as it comes back from disk. */
  function stored({ iteration, evaluations, tensors }: AttackState): AttackState {
    const bytes = writeSafetensors(tensors);
    return { iteration, evaluations, tensors: readSafetensors(bytes, "state").tensors as AttackState["tensors"] };
  }

  it("a step leaves the state it was given alone", async () => {
    const run = await attackOn(mlpCase([1, 2]), "fedleak", { iterations: 3 });
    const before = structuredClone(run.initial);
    await run.step(run.initial);
    expect(run.initial).toEqual(before);
    await run.release();
  });
});

describe("counting", () => {
  it("one evaluation an iteration without look-ahead, two with it", async () => {
    for (const [gamma, evaluations] of [
      [0, 3],
      [0.5, 6],
    ] as const) {
      const run = await attackOn(mlpCase([1]), "fedleak", { gamma, iterations: 3 });
      expect((await advance(run, run.initial, 3))!.state.evaluations).toBe(evaluations);
      await run.release();
    }
  });
});

describe("several candidates", () => {
  it("give the one of lowest own loss, or their mean", async () => {
    const of = mlpCase([1, 2]);
    const observation = await observed(of);
    const reconstructions = async (consensus: string) => {
      const overrides = { iterations: 20, restarts: 3, consensus, labelRule: "paper" };
      const run = await attackOn(of, "inverting-gradients", overrides, { observation });
      const { state } = (await advance(run, run.initial, 20))!;
      const images = await run.reconstruct(state);
      await run.release();
      return { state, images };
    };
    const { state, images } = await reconstructions("best");
    expect(state.evaluations).toBe(60);
    const losses = [0, 1, 2].map((k) => scalarOf(state.tensors[`candidate${k}.score`]!));
    expect(new Set(losses).size).toBe(3); // different starts
    const best = state.tensors[`candidate${losses.indexOf(Math.min(...losses))}.x`]!;
    expect(differing({ images }, { images: best })).toEqual([]);
    const mean = (await reconstructions("mean")).images;
    const all = [0, 1, 2].map((k) => state.tensors[`candidate${k}.x`]!.data);
    mean.data.forEach((v, i) => {
      expect(v).toBeCloseTo(
        all.reduce((sum, x) => sum + x[i]! / 3, 0),
        6,
      );
    });
  });

  it("go on while one of them is sound", async () => {
    const of = mlpCase([1]);
    const run = await attackOn(of, "inverting-gradients", { iterations: 3, restarts: 2, labelRule: "paper" });
    const x = run.initial.tensors["candidate0.x"]!;
    const tensors = { ...run.initial.tensors, "candidate0.x": poisoned(x) };
    const { state, failure } = (await advance(run, { ...run.initial, tensors }, 3))!;
    expect(failure).toBeUndefined();
    expect((await run.reconstruct(state)).data.every(Number.isFinite)).toBe(true);
    await run.release();
  });
});

describe("a polish", () => {
  const of = lenetCase([3]);
  const OVERRIDES = { iterations: 60, polish: 0.5, generatorChannels: 6, generatorLatent: 8 };
  const polish = async (polishLearningRate: number) => {
    const run = await attackOn(of, "ci-net", { ...OVERRIDES, polishLearningRate }, { key: key(3) });
    const begun = (await advance(run, run.initial, 30))!.state;
    const [before, { state }] = [await run.reconstruct(begun), (await advance(run, begun, 60))!];
    const after = await run.reconstruct(state);
    await run.release();
    return { before, after };
  };

  it("is kept where it lowers the attack's own loss, and costs nothing but evaluations where it does not", async () => {
    const [good, bad] = [await polish(0.02), await polish(1e5)];
    expect(differing({ x: good.before }, { x: good.after })).toEqual(["x"]);
    expect(mse(good.after, of.images)).toBeLessThan(mse(good.before, of.images));
    expect(differing({ x: bad.before }, { x: bad.after })).toEqual([]);
  });
});

describe("an early end", () => {
  it("comes when the loss falls below stopBelow, or the evaluations are used up", async () => {
    const of = mlpCase([1]);
    const settled = await attackOn(of, "inverting-gradients", { iterations: 9, stopBelow: 1e3, labelRule: "paper" });
    const last = (await advance(settled, settled.initial, 9))!;
    expect(settled.finished(last.state)).toBe(true);
    expect(last.state.iteration).toBe(1);
    const spent = await attackOn(of, "dlg", { iterations: 500, evaluations: 30, labelRule: "paper" });
    const { state } = (await advance(spent, spent.initial, 500))!;
    expect(spent.finished(state)).toBe(true);
    expect(state.evaluations).toBe(30); // the last line search gets what is left
    await Promise.all([settled.release(), spent.release()]);
  });
});

describe("failures", () => {
  it("stops at a loss that is not finite, with the last good state", async () => {
    const of = mlpCase([1, 2]);
    const observation = await observed(of);
    const broken = { ...observation.update, "net.0.bias": poisoned(observation.update["net.0.bias"]!) };
    const run = await attackOn(of, "fedleak", { iterations: 5 }, { observation: { ...observation, update: broken } });
    const result = (await advance(run, run.initial, 5))!;
    expect(result.failure).toMatchObject({ kind: "not-finite", iteration: 0 });
    expect(result.failure!.message).toContain("got loss NaN");
    expect(result.state).toBe(run.initial);
    await run.release();
  });

  it("stops when the variables run away, before the state is spoiled", async () => {
    const overrides = { iterations: 50, optimiser: "sgd", learningRate: 1e6, clamp: false, l2Weight: 1e6, gamma: 0 };
    const run = await attackOn(lenetCase([1]), "fedleak", { ...overrides, weightDecay: 1e6 });
    const result = (await advance(run, run.initial, 50))!;
    expect(result.failure?.kind).toBe("not-finite");
    expect(result.state.iteration).toBe(result.failure!.iteration);
    expect(result.state.tensors.x!.data.every(Number.isFinite)).toBe(true);
    await run.release();
  });
});

describe("what is granted", () => {
  it("refuses to work without what it requires", async () => {
    const of = mlpCase([1]);
    const observation = await observed(of, []);
    await expect(attackOn(of, "fedleak", {}, { observation })).rejects.toThrow(
      'attack fedleak: the threat model must grant "batch-size"; got nothing granted',
    );
  });

  it("refuses an update of another model", async () => {
    const observation = await observed(mlpCase([1], { hidden: 12 }));
    await expect(attackOn(mlpCase([1]), "fedleak", {}, { observation })).rejects.toThrow(
      'the weights must hold "net.0.weight" of shape [24,64]',
    );
  });

  it("uses true labels when granted, whatever the setting, and says so in the ledger", async () => {
    const of = mlpCase([2, 2]); // repeated: inference cannot find them
    const granted = await observed(of, ["batch-size", "labels"]);
    const knowing = await attackOn(of, "fedleak", { labels: "joint" }, { observation: granted });
    expect(knowing.inferredLabels(knowing.initial)).toEqual([2, 2]);
    expect(knowing.ledger.labels).toContain("granted");
    expect(Object.keys(knowing.initial.tensors)).not.toContain("labels");
    const guessing = await attackOn(of, "fedleak", { labels: "joint" });
    expect(guessing.inferredLabels(guessing.initial)).not.toEqual([2, 2]);
    expect(guessing.ledger.labels).toContain("then optimised");
    await Promise.all([knowing.release(), guessing.release()]);
  });
});

describe("probe", () => {
  it.each([
    ["fedleak", { gamma: 0, labels: "joint" }],
    ["fedleak-release", { generatorChannels: 4 }],
  ])("%s: loss and cosine are the step's; the gradient is by the images and points uphill", async (preset, over) => {
    const of = mlpCase([0, 4]);
    const run = await attackOn(of, preset, { ...over, medianFilter: 0, iterations: 2 });
    const [probe, step] = [await run.probe(run.initial), await run.step(run.initial)];
    expect(probe.loss).toBeCloseTo(step.loss, 5);
    expect(probe.cosine).toBeCloseTo(step.cosine, 5);
    expect(probe.images.shape).toEqual(of.images.shape);
    expect(probe.gradient.shape).toEqual(of.images.shape);
    if (preset === "fedleak") expect(Math.hypot(...probe.gradient.data)).toBeCloseTo(step.gradientNorm, 5);
    await run.release();
  });
});
