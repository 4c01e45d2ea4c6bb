import { describe, expect, it } from "vitest";
import { type Evaluation, type LBfgsState, lBfgsStep } from "../../src/optim/index.ts";

type Loss = (x: Float64Array) => Evaluation;

const OPTIONS = { learningRate: 1, history: 10, mostEvaluations: 25 };

/** (1 − x)² + 100(y − x²)²: a bent valley with its lowest point at (1, 1). */
const rosenbrock: Loss = (p) => {
  const [x, y] = p as unknown as [number, number];
  const slope = [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)];
  return { loss: (1 - x) ** 2 + 100 * (y - x * x) ** 2, gradient: Float64Array.from(slope) };
};

/** ½ Σ aᵢxᵢ² with a from 1 to 100. */
const ellipsoid: Loss = (x) => {
  const a = (i: number) => 10 ** ((2 * i) / (x.length - 1));
  return { loss: x.reduce((sum, v, i) => sum + (a(i) * v * v) / 2, 0), gradient: x.map((v, i) => a(i) * v) };
};

async function descend(loss: Loss, start: readonly number[], steps: number, options = OPTIONS) {
  const x = Float64Array.from(start);
  let state: LBfgsState = { x, ...loss(x), steps: [] };
  let evaluations = 1;
  for (let i = 0; i < steps; i++) {
    const step = await lBfgsStep(state, async (at) => loss(at), options);
    evaluations += step.evaluations;
    state = step.state;
    if (!step.moved && state.steps.length === 0) break;
  }
  return { state, evaluations };
}

describe("lBfgsStep", () => {
  it("follows Rosenbrock's valley to its end", async () => {
    const { state, evaluations } = await descend(rosenbrock, [-1.2, 1], 60);
    expect(state.loss).toBeLessThan(1e-12);
    expect(evaluations).toBeLessThan(80); // gradient descent takes tens of thousands
  });

  it("gains from what it remembers", async () => {
    const start = Array.from({ length: 20 }, (_, i) => 1 + (i % 3));
    const remembering = await descend(ellipsoid, start, 40);
    const forgetful = await descend(ellipsoid, start, 40, { ...OPTIONS, history: 1 });
    expect(remembering.state.loss).toBeLessThan(forgetful.state.loss / 10);
  });

  it("takes steps that satisfy the strong Wolfe conditions, and keeps no more pairs than asked", async () => {
    const x = Float64Array.from([-1.2, 1]);
    let state: LBfgsState = { x, ...rosenbrock(x), steps: [] };
    for (let i = 0; i < 15; i++) {
      const { state: next } = await lBfgsStep(state, async (at) => rosenbrock(at), { ...OPTIONS, history: 3 });
      const moved = next.x.map((v, k) => v - state.x[k]!);
      const slope = (g: Float64Array) => g.reduce((sum, v, k) => sum + v * moved[k]!, 0);
      expect(next.loss).toBeLessThanOrEqual(state.loss + 1e-4 * slope(state.gradient));
      expect(Math.abs(slope(next.gradient))).toBeLessThanOrEqual(0.9 * Math.abs(slope(state.gradient)));
      expect(next.steps.length).toBeLessThanOrEqual(3);
      state = next;
    }
  });

  it("never goes up, forgets where it finds nothing, and says so", async () => {
    const kink: Loss = (x) => ({ loss: Math.abs(x[0]!), gradient: Float64Array.of(Math.sign(x[0]!) || 1) });
    const atKink = { x: Float64Array.of(0), ...kink(Float64Array.of(0)), steps: [] };
    const { state, moved, evaluations } = await lBfgsStep(atKink, async (x) => kink(x), OPTIONS);
    expect(moved).toBe(false);
    expect(state.x[0]).toBe(0);
    expect(evaluations).toBeLessThanOrEqual(OPTIONS.mostEvaluations);
  });

  it("takes a loss that is not finite for a wall", async () => {
    const wall: Loss = (x) => ({
      loss: x[0]! < 0.5 ? Number.NaN : (x[0]! - 0.6) ** 2,
      gradient: Float64Array.of(2 * (x[0]! - 0.6)),
    });
    const { state } = await descend(wall, [3], 30, { ...OPTIONS, learningRate: 100 });
    expect(state.x[0]).toBeCloseTo(0.6, 6);
  });

  it("does not touch the state it is given", async () => {
    const x = Float64Array.from([-1.2, 1]);
    const state: LBfgsState = { x, ...rosenbrock(x), steps: [] };
    const before = structuredClone(state);
    await lBfgsStep(state, async (at) => rosenbrock(at), OPTIONS);
    expect(state).toEqual(before);
  });
});
