import { describe, expect, test } from "vitest";
import { type CmaEsState, cmaEsAsk, cmaEsInitial, cmaEsTell } from "../../src/optim/index.ts";
import { float32, row, type Tensor } from "../../src/tensor/index.ts";
import { key, split } from "../../src/util/index.ts";

type Loss = (x: ArrayLike<number>) => number;

const TARGET = 0.7;
const sum = (x: ArrayLike<number>, of: (value: number, i: number) => number) =>
  Array.from(x).reduce((total, value, i) => total + of(value, i), 0);
const sphere: Loss = (x) => sum(x, (v) => (v - TARGET) ** 2);
/** Axes scaled from 1 to 10³: condition number 10⁶. */
const ellipsoid: Loss = (x) => sum(x, (v, i) => (1000 ** (i / (x.length - 1)) * (v - TARGET)) ** 2);
/** The same, turned: each number plus 0.6 of what stands before it, so the axes are no longer the coordinates'. */
const sheared: Loss = (x) => {
  let before = 0;
  const turned = Array.from(x, (v) => {
    before = 0.6 * before + v - TARGET;
    return before + TARGET;
  });
  return ellipsoid(turned);
};

function minimise(
  loss: Loss,
  options: { n: number; generations: number; population?: number; covariance?: "full" | "diagonal" },
) {
  const { n, generations, population = 4 + Math.floor(3 * Math.log(n)), ...rest } = options;
  let state: CmaEsState = cmaEsInitial({ mean: float32([n], new Float32Array(n)), sigma: 0.5, ...rest });
  for (let g = 0; g < generations; g++) {
    const candidates = cmaEsAsk(state, split(key(1), g), population);
    state = cmaEsTell(state, candidates, lossesOf(candidates, loss));
  }
  return { state, loss: loss(state["cma.mean"]!.data) };
}

const lossesOf = (candidates: Tensor<"float32">, loss: Loss) =>
  Array.from({ length: candidates.shape[0]! }, (_, k) => loss(row(candidates, k).data));

describe("converges", () => {
  // From losses of 5 and about 10⁶; float32 storage ends near 10⁻¹², the bounds leave room for the random path.
  test.each(["full", "diagonal"] as const)("on the sphere, %s covariance", (covariance) => {
    expect(minimise(sphere, { n: 10, generations: 150, covariance }).loss).toBeLessThan(1e-8);
  });
  test("on an ellipsoid of condition number 10⁶, either way", () => {
    expect(minimise(ellipsoid, { n: 10, generations: 700, covariance: "full" }).loss).toBeLessThan(1e-6);
    expect(minimise(ellipsoid, { n: 10, generations: 700, covariance: "diagonal" }).loss).toBeLessThan(1e-6);
  });
  test("on a sheared ellipsoid with the full covariance; the diagonal one cannot follow", () => {
    expect(minimise(sheared, { n: 8, generations: 800, covariance: "full" }).loss).toBeLessThan(1e-6);
    expect(minimise(sheared, { n: 8, generations: 800, covariance: "diagonal" }).loss).toBeGreaterThan(1e-3);
  });
  test("in many dimensions: 600 numbers, diagonal without being asked", () => {
    const { state, loss } = minimise(sphere, { n: 600, generations: 300, population: 50 });
    expect(state["cma.covariance"]!.shape).toEqual([600]);
    expect(loss).toBeLessThan(0.1 * sphere(new Float32Array(600)));
  });
});

test("control: losses that say nothing lead nowhere, and leave the step size about as it was", () => {
  const noise = minimise(() => 0, { n: 10, generations: 150 });
  expect(sphere(noise.state["cma.mean"]!.data)).toBeGreaterThan(1e-2);
  const { state } = minimise(sphere, { n: 10, generations: 150 });
  expect(noise.state["cma.sigma"]!.data[0]!).toBeGreaterThan(1000 * state["cma.sigma"]!.data[0]!);
});

test("only the ranks of the losses count, and one that is not finite ranks last", () => {
  const state = cmaEsInitial({ mean: float32([4], [0, 0, 0, 0]), sigma: 0.5 });
  const candidates = cmaEsAsk(state, key(3), 6);
  const losses = [3, 1, 2, 6, 5, 4];
  const after = cmaEsTell(state, candidates, losses);
  expect(cmaEsTell(state, candidates, losses.map(Math.exp))).toEqual(after);
  expect(cmaEsTell(state, candidates, [3, 1, 2, Number.NaN, 5, 4])).toEqual(after);
  expect(cmaEsTell(state, candidates, [3, 1, 2, 6, 4, 5])).toEqual(after); // the worse half has no weight
  expect(cmaEsTell(state, candidates, [1, 3, 2, 6, 5, 4])).not.toEqual(after);
});

test("draws follow the distribution: mean and covariance of many candidates", () => {
  const start = cmaEsInitial({ mean: float32([2], [1, -2]), sigma: 2 });
  const state = { ...start, "cma.covariance": float32([2, 2], [1, 0.5, 0.5, 0.5]) };
  const { data } = cmaEsAsk(state, key(5), 20_000);
  const mean = [0, 1].map((i) => sum({ length: 20_000 }, (_, k) => data[2 * k + i]!) / 20_000);
  const moment = (i: number, j: number) =>
    sum({ length: 20_000 }, (_, k) => (data[2 * k + i]! - mean[i]!) * (data[2 * k + j]! - mean[j]!)) / 20_000;
  expect(mean[0]).toBeCloseTo(1, 1); // the standard error is 2/√20000 = 0.014
  expect(mean[1]).toBeCloseTo(-2, 1);
  for (const [i, j, expected] of [
    [0, 0, 4],
    [0, 1, 2],
    [1, 1, 2],
  ] as const) {
    expect(Math.abs(moment(i, j) - expected)).toBeLessThan(0.2); // standard error 4·√(2/20000) = 0.04
  }
});

test("the state is plain tensors: storing and reading it back changes nothing", () => {
  const { state } = minimise(sphere, { n: 5, generations: 7 });
  const copy = Object.fromEntries(Object.entries(state).map(([name, t]) => [name, float32(t.shape, t.data.slice())]));
  expect(cmaEsAsk(copy, key(2), 4)).toEqual(cmaEsAsk(state, key(2), 4));
});

test("bad arguments are explained", () => {
  const mean = float32([2], [0, 0]);
  expect(() => cmaEsInitial({ mean, sigma: 0 })).toThrow(/sigma > 0; got n 2, sigma 0/);
  const state = cmaEsInitial({ mean, sigma: 1 });
  expect(() => cmaEsTell(state, cmaEsAsk(state, key(0), 4), [1, 2])).toThrow(/a loss for each; got .* 2 losses/);
});
