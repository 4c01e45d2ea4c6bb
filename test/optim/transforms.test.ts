import { describe, expect, it } from "vitest";
import { input, type Node } from "../../src/graph/index.ts";
import {
  type AdamOptions,
  adam,
  adamw,
  chain,
  clip,
  descend,
  mapNodes,
  scalarInputs,
  sgd,
  signed,
  type Transform,
  zeroState,
} from "../../src/optim/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import { float64, type Tensors } from "../../src/tensor/index.ts";

const SHAPES = { w: [3], b: [2] };
const START = { w: [1, -2, 0.5], b: [0.25, 3] };

/** Runs `steps` of a transform in float64 on the gradients `gradientAt(t)`, t = 1, 2, …; returns the variables. */
function run(transform: Transform, gradientsAt: (t: number) => Record<string, number[]>, steps: number, rate = 0.1) {
  const inputs = (prefix: string) =>
    Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, input(`${prefix}${name}`, shape)]));
  const [variables, gradients] = [inputs(""), inputs("grad.")];
  let state: Tensors = zeroState(transform, SHAPES);
  let now: Tensors = Object.fromEntries(Object.entries(START).map(([name, x]) => [name, float64([x.length], x)]));
  const stateNodes = Object.fromEntries(Object.entries(state).map(([name, t]) => [name, input(name, t.shape)]));
  const after = descend({
    transform,
    variables,
    gradients,
    state: stateNodes,
    scalars: scalarInputs(transform),
    learningRate: input("rate", []),
  });
  const outputs: Record<string, Node> = { ...mapNodes(after.variables, (x) => x), ...after.state };
  for (let t = 1; t <= steps; t++) {
    const feeds: Record<string, ReturnType<typeof float64>> = { rate: float64([], [rate]) };
    for (const [name, g] of Object.entries(gradientsAt(t))) feeds[`grad.${name}`] = float64([g.length], g);
    for (const [name, value] of Object.entries(transform.scalars(t))) feeds[name] = float64([], [value]);
    const result = evaluate(outputs, { ...feeds, ...now, ...state });
    now = Object.fromEntries(Object.keys(SHAPES).map((name) => [name, result[name]!]));
    state = Object.fromEntries(Object.keys(state).map((name) => [name, result[name]!]));
  }
  return { variables: lists(now), state: lists(state) };
}

const lists = (tensors: Tensors) =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, Array.from(t.data, Number)]));

const GRADIENTS = (t: number) => ({ w: [0.3 * t, -1, 0], b: [2, -0.1 / t] });

/** PyTorch's loop, written out for one element. */
function adamByHand(x: number, gradients: number[], { weightDecay = 0 }: AdamOptions, decoupled: boolean, rate = 0.1) {
  let [m, v] = [0, 0];
  gradients.forEach((raw, i) => {
    if (decoupled) x *= 1 - rate * weightDecay;
    const g = decoupled ? raw : raw + weightDecay * x;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    x -= ((rate / (1 - 0.9 ** (i + 1))) * m) / (Math.sqrt(v) / Math.sqrt(1 - 0.999 ** (i + 1)) + 1e-8);
  });
  return x;
}

describe("adam and adamw", () => {
  it.each([
    ["adam", adam(), {}, false],
    ["adam with L2", adam({ weightDecay: 0.2 }), { weightDecay: 0.2 }, false],
    ["adamw", adamw(), { weightDecay: 0.01 }, true],
    ["adamw with strong decay", adamw({ weightDecay: 0.5 }), { weightDecay: 0.5 }, true],
  ] as const)("%s follows PyTorch's loop over five steps", (_, transform, options, decoupled) => {
    const { variables } = run(transform, GRADIENTS, 5);
    for (const name of ["w", "b"] as const) {
      START[name].forEach((x, i) => {
        const gradients = [1, 2, 3, 4, 5].map((t) => GRADIENTS(t)[name][i]!);
        expect(variables[name]![i]).toBeCloseTo(adamByHand(x, gradients, options, decoupled), 12); // float64
      });
    }
  });

  it("takes a first step of size learningRate · sign(g)", () => {
    const { variables } = run(adam(), () => ({ w: [5, -0.001, 70], b: [-3, 1] }), 1);
    expect(variables.w![0]).toBeCloseTo(0.9, 6); // ε/|g| off: 1e-8 of 5
    expect(variables.w![1]).toBeCloseTo(-1.9, 5);
    expect(variables.b![0]).toBeCloseTo(0.35, 6);
  });

  it("keeps its memory under adam.m.<variable> and adam.v.<variable>", () => {
    const { state } = run(adamw(), () => ({ w: [1, 2, 3], b: [4, 5] }), 1);
    expect(Object.keys(state).sort()).toEqual(["adam.m.b", "adam.m.w", "adam.v.b", "adam.v.w"]);
    expect(state["adam.m.w"]![1]).toBeCloseTo(0.2, 12);
    expect(state["adam.v.b"]![1]).toBeCloseTo(0.025, 12);
  });
});

describe("sgd", () => {
  it("is x − rate·g without momentum and keeps no memory", () => {
    const { variables, state } = run(sgd(), () => ({ w: [1, 2, 3], b: [4, 5] }), 1);
    expect(variables.w).toEqual([1 - 0.1, -2 - 0.2, 0.5 - 0.1 * 3]);
    expect(state).toEqual({});
  });

  it("with momentum μ and gradient 1 has moved rate·Σ_t (1 − μᵗ)/(1 − μ) after T steps", () => {
    const { variables } = run(sgd({ momentum: 0.9 }), () => ({ w: [1, 1, 1], b: [1, 1] }), 4);
    const moved = [1, 2, 3, 4].reduce((sum, t) => sum + (1 - 0.9 ** t) / 0.1, 0);
    expect(variables.w![0]).toBeCloseTo(1 - 0.1 * moved, 12);
  });

  it("with weight decay λ and no gradient shrinks by 1 − rate·λ", () => {
    const { variables } = run(sgd({ weightDecay: 0.5 }), () => ({ w: [0, 0, 0], b: [0, 0] }), 3);
    expect(variables.b![1]).toBeCloseTo(3 * 0.95 ** 3, 12);
  });
});

describe("chain, signed, clip", () => {
  it("signed gives steps of one size, whatever the gradient", () => {
    const { variables } = run(chain(signed(), sgd()), () => ({ w: [100, -0.01, 0], b: [1e-9, -5] }), 1);
    expect(variables.w).toEqual([0.9, -1.9, 0.5]);
    expect(variables.b).toEqual([0.15, 3.1]);
  });

  it("clip scales by the norm over all variables, and leaves short gradients alone", () => {
    const long = { w: [3, 0, 0], b: [0, 4] }; // norm 5
    const clipped = run(chain(clip(1), sgd()), () => long, 1).variables;
    expect(clipped.w![0]).toBeCloseTo(1 - (0.1 * 3) / 5, 12);
    expect(clipped.b![1]).toBeCloseTo(3 - (0.1 * 4) / 5, 12);
    const untouched = run(chain(clip(6), sgd()), () => long, 1).variables;
    expect(untouched.w![0]).toBeCloseTo(0.7, 12);
    expect(run(chain(clip(1), sgd()), () => ({ w: [0, 0, 0], b: [0, 0] }), 1).variables).toEqual(START);
  });

  it("order matters: signed before clip is not clip before signed", () => {
    const g = () => ({ w: [3, 0, 0], b: [0, 4] });
    const one = run(chain(signed(), clip(0.1), sgd()), g, 1).variables.w![0];
    const other = run(chain(clip(0.1), signed(), sgd()), g, 1).variables.w![0];
    expect(one).toBeCloseTo(1 - 0.1 * (0.1 / Math.SQRT2), 12);
    expect(other).toBeCloseTo(0.9, 12);
  });

  it("refuses two transforms with one memory", () => {
    expect(() => chain(adam(), adam())).toThrow('chain: each slot must belong to one transform; got "adam.m" twice');
  });
});
