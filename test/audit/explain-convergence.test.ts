import { describe, expect, test } from "vitest";
import { type AttackState, completeSettings, findAttack } from "../../src/attacks/index.ts";
import { offsetOf, rmsOf, steepnessAt } from "../../src/audit/explain/steepness.ts";
import { type TracePlan, traceConvergence } from "../../src/audit/explain/trace.ts";
import { variantsOf } from "../../src/audit/explain/variants.ts";
import { float32, type Tensor } from "../../src/tensor/index.ts";
import { key, normal, uniform } from "../../src/util/index.ts";

const SHAPE = [2, 1, 3, 3];
const truth = float32(SHAPE, uniform(key(1), 18));
const near = float32(
  SHAPE,
  truth.data.map((v, i) => v + 0.05 * Math.sin(i + 1)),
);

describe("μ and L at a point", () => {
  const offset = offsetOf(truth, near);
  const times = (h: number) =>
    float32(
      SHAPE,
      near.data.map((v, i) => h * (v - truth.data[i]!)),
    );

  test("of ½h‖x′−x‖² are h and h², downhill and uphill", () => {
    for (const h of [4, -4]) {
      const { mu, l, ratio, alignment } = steepnessAt(offset, times(h));
      expect(mu).toBeCloseTo(h, 5);
      expect(l).toBeCloseTo(16, 4);
      expect(ratio).toBeCloseTo(1 / h, 6);
      expect(alignment).toBeCloseTo(Math.sign(h), 6);
    }
  });

  test("tell exactly how a step changes the distance, whatever the gradient", () => {
    const gradient = float32(SHAPE, normal(key(2), 18));
    const { mu, l } = steepnessAt(offset, gradient);
    const squares = (by: number) => offset.difference.reduce((sum, e, i) => sum + (e - by * gradient.data[i]!) ** 2, 0);
    for (const step of [0.01, 0.3]) {
      expect(squares(step) / squares(0)).toBeCloseTo(1 - 2 * step * mu! + step ** 2 * l!, 9);
    }
    const bound = (2 * mu!) / l!; // may be negative: then a step uphill keeps the distance
    expect(squares(bound) / squares(0)).toBeCloseTo(1, 9);
  });

  test("pair the images before the difference, and the gradient with them", () => {
    const turned = (t: Tensor<"float32">) => float32(SHAPE, [...t.data.slice(9), ...t.data.slice(0, 9)]);
    const swapped = offsetOf(truth, turned(near));
    expect(swapped.pairing).toEqual([1, 0]);
    expect(swapped.difference).toEqual(offset.difference);
    const gradient = float32(SHAPE, normal(key(3), 18));
    expect(steepnessAt(swapped, turned(gradient))).toEqual(steepnessAt(offset, gradient));
    expect(rmsOf(swapped.difference)).toBeGreaterThan(0);
  });

  test("are not told where there is no difference or no gradient", () => {
    const none = { mu: null, l: null, ratio: null, alignment: null };
    expect(steepnessAt(offsetOf(truth, truth), times(1))).toEqual(none);
    expect(steepnessAt(offset, times(0))).toEqual({ ...none, mu: 0, l: 0 });
  });
});

describe("along a run of plain descent on ½Σ h_i·(x′−x)_i²", () => {
  const h = Float64Array.from(uniform(key(4), 18), (u) => 0.5 + u);
  const ETA = 0.2;
  const gradientAt = (x: Float32Array) => x.map((v, i) => h[i]! * (v - truth.data[i]!));
  const stateOf = (iteration: number, x: ArrayLike<number>): AttackState => ({
    iteration,
    evaluations: iteration,
    tensors: { x: float32(SHAPE, x) },
  });
  const run = {
    initial: stateOf(0, near.data),
    finished: ({ iteration }: AttackState) => iteration >= 7,
    step: async (state: AttackState) => {
      const x = state.tensors.x!.data;
      const d = gradientAt(x);
      const next = stateOf(
        state.iteration + 1,
        x.map((v, i) => v - ETA * d[i]!),
      );
      return { state: next, loss: 0, cosine: 0, gradientNorm: 0 };
    },
    probe: async ({ tensors }: AttackState) => {
      const gradient = float32(SHAPE, gradientAt(tensors.x!.data));
      return { images: tensors.x!, gradient, loss: 1, cosine: 0 };
    },
  };
  const settings = { gamma: 0, lookahead: "descent", lookaheadStep: 0.1, iterations: 7 } as const;
  const plan: TracePlan = { run, plain: run, settings, truth, every: 3, onIteration: () => {}, stopped: () => false };

  test("points come at the start, every so often and at the end; μ and L are the weighted means of h and h²", async () => {
    const { points, status, last } = await traceConvergence(plan);
    expect(status).toBe("finished");
    expect(points.map(({ iteration }) => iteration)).toEqual([0, 3, 6, 7]);
    expect(last.iteration).toBe(7);
    for (const { iteration, here, blended, rms } of points) {
      const e2 = Array.from(h, (k, i) => ((near.data[i]! - truth.data[i]!) * (1 - ETA * k) ** iteration) ** 2);
      const weighted = (power: number) =>
        e2.reduce((s, e, i) => s + e * h[i]! ** power, 0) / e2.reduce((s, e) => s + e, 0);
      expect(here.mu).toBeCloseTo(weighted(1), 4);
      expect(here.l).toBeCloseTo(weighted(2), 4);
      expect(rms).toBeCloseTo(Math.sqrt(e2.reduce((s, e) => s + e, 0) / 18), 6);
      expect(blended).toBeNull();
    }
  });

  test("the blend is (1−γ)·D(x′) + γ·D(x̃), after a step or uphill", async () => {
    const e = near.data.map((v, i) => v - truth.data[i]!);
    const d = gradientAt(near.data);
    const norm = Math.hypot(...d);
    const ahead = {
      descent: d.map((v, i) => h[i]! * (e[i]! - ETA * v)),
      uphill: d.map((v, i) => h[i]! * (e[i]! + (0.1 * v) / norm)),
    };
    for (const lookahead of ["descent", "uphill"] as const) {
      const { points } = await traceConvergence({
        ...plan,
        settings: { ...settings, lookahead, gamma: 0.3, iterations: 1 },
      });
      const blend = d.map((v, i) => 0.7 * v + 0.3 * ahead[lookahead][i]!);
      const expected = steepnessAt(offsetOf(truth, near), float32(SHAPE, blend));
      expect(points[0]!.blended!.mu).toBeCloseTo(expected.mu!, 5);
      expect(points[0]!.blended!.l).toBeCloseTo(expected.l!, 4);
      expect(points[0]!.here.mu! < points[0]!.blended!.mu!).toBe(lookahead === "uphill"); // the descent damps
    }
  });

  test("a stop keeps what there is; numbers that are not finite end it", async () => {
    let done = 0;
    const onIteration = (iteration: number) => {
      done = iteration;
    };
    const stopped = await traceConvergence({ ...plan, onIteration, stopped: () => done >= 4 });
    expect(stopped).toMatchObject({ status: "interrupted", last: { iteration: 4 } });
    expect(stopped.points.map(({ iteration }) => iteration)).toEqual([0, 3]);
    const probe = async (state: AttackState) => {
      const found = await run.probe(state);
      return state.iteration < 3 ? found : { ...found, loss: Number.NaN };
    };
    const broken = await traceConvergence({ ...plan, plain: { ...run, probe } });
    expect(broken.status).toBe("failed");
    expect(broken.failure).toMatch(/must be finite; got NaN or infinity after iteration 3/);
    expect(broken.points).toHaveLength(1);
  });
});

describe("variants", () => {
  const told = (name: string, overrides = {}) =>
    variantsOf(completeSettings(findAttack(name), overrides)).map(({ name: variant, settings, asSet }) => [
      variant,
      settings.maskRatio,
      settings.gamma,
      asSet,
    ]);

  test("switch each technique of the attack off, and exactly one is as set", () => {
    expect(told("fedleak", { maskRatio: 0.3, gamma: 0.2 })).toEqual([
      ["neither", 1, 0, false],
      ["regularisation", 1, 0.2, false],
      ["partial-matching", 0.3, 0, false],
      ["both", 0.3, 0.2, true],
    ]);
  });

  test("and on where the attack has none, with the values of fedleak", () => {
    const { maskRatio, gamma } = findAttack("fedleak").settings;
    expect(told("inverting-gradients")).toEqual([
      ["neither", 1, 0, true],
      ["regularisation", 1, gamma.value, false],
      ["partial-matching", maskRatio.value, 0, false],
      ["both", maskRatio.value, gamma.value, false],
    ]);
    const both = variantsOf(completeSettings(findAttack("inverting-gradients"))).at(-1)!;
    expect(both.settings.maskScope).not.toBe("none"); // else the mask would do nothing
  });
});
