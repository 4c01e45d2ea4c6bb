import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { completeSettings, findAttack } from "../../src/attacks/index.ts";
import { gradientDistance } from "../../src/attacks/objective/distance.ts";
import { magnitudeMasks } from "../../src/attacks/objective/mask.ts";
import { gradientMatching, knownTensors } from "../../src/attacks/objective/objective.ts";
import { activationPenalty } from "../../src/attacks/prior/activation.ts";
import { oneHot } from "../../src/fl/index.ts";
import { constant, constantOf, grad, input, type Node, sum } from "../../src/graph/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { compile, evaluate } from "../../src/runtime/index.ts";
import { float64, numbers, readSafetensors, scalarOf, type Tensors } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";
import { requireShared } from "../shared.ts";

const SHAPES = [[3, 5], [7], [2, 2, 2]] as const;
const tensorsOf = (seed: number) =>
  SHAPES.map((shape, i) =>
    constantOf(
      shape,
      normal(
        key(seed + i),
        shape.reduce((a, b) => a * b, 1),
      ),
    ),
  );
const numberOf = (node: Node) => scalarOf(evaluate({ node }).node!);
const elementsOf = (node: Node) => Array.from(evaluate({ node }).node!.data);
const DISTANCE = { l1Weight: 0, cosineWeight: 0, l2Weight: 0, distanceScope: "global" } as const;

describe("magnitudeMasks", () => {
  it.each([0.1, 0.15, 0.5, 0.8, 0.999])("keeps exactly ⌈%f·n⌉ entries, the largest ones", (maskRatio) => {
    const g = tensorsOf(20);
    const sizes = [15, 7, 8];
    const global = magnitudeMasks(g, { maskRatio, maskScope: "global" })!.flatMap(elementsOf);
    expect(global.reduce((a, b) => a + b)).toBe(Math.ceil(maskRatio * 30));
    const magnitudes = g.flatMap(elementsOf).map(Math.abs);
    const [kept, dropped] = [1, 0].map((bit) => magnitudes.filter((_, i) => global[i] === bit));
    expect(Math.min(...kept!)).toBeGreaterThan(Math.max(...dropped!, 0) - (dropped!.length ? 0 : 1));
    magnitudeMasks(g, { maskRatio, maskScope: "per-tensor" })!.forEach((mask, i) => {
      expect(elementsOf(mask).reduce((a, b) => a + b)).toBe(Math.ceil(maskRatio * sizes[i]!));
    });
  });

  it("keeps all entries that tie with the threshold", () => {
    const g = [constantOf([6], [0, 3, 0, 0, -3, 0])];
    expect(elementsOf(magnitudeMasks(g, { maskRatio: 0.3, maskScope: "global" })![0]!)).toEqual([0, 1, 0, 0, 1, 0]);
    expect(elementsOf(magnitudeMasks(g, { maskRatio: 0.5, maskScope: "global" })![0]!)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it("is no mask at all without a scope or at ratio 1", () => {
    expect(magnitudeMasks(tensorsOf(1), { maskRatio: 1, maskScope: "global" })).toBeUndefined();
    expect(magnitudeMasks(tensorsOf(1), { maskRatio: 0.5, maskScope: "none" })).toBeUndefined();
  });

  it("lets no gradient through", () => {
    const g = input("g", [10]);
    const [mask] = magnitudeMasks([g], { maskRatio: 0.5, maskScope: "global" })!;
    const { d } = evaluate({ d: grad(sum(mask!), [g])[0]! }, { g: float64([10], normal(key(3), 10)) });
    expect(Array.from(d!.data)).toEqual(new Array(10).fill(0));
  });
});

describe("gradientDistance", () => {
  const g = tensorsOf(40);
  const t = tensorsOf(50);
  const pairs = g.map((node, i) => elementsOf(node).map((v, j) => [v, elementsOf(t[i]!)[j]!] as const));
  const masks = magnitudeMasks(g, { maskRatio: 0.5, maskScope: "per-tensor" })!;
  const keptPairs = pairs.map((list, i) => list.filter((_, j) => elementsOf(masks[i]!)[j] === 1));
  const l1 = (list: readonly (readonly [number, number])[]) => list.reduce((s, [a, b]) => s + Math.abs(a - b), 0);
  const cos = (list: readonly (readonly [number, number])[]) =>
    list.reduce((s, [a, b]) => s + a * b, 0) /
    Math.hypot(...list.map(([a]) => a)) /
    Math.hypot(...list.map(([, b]) => b));

  it("global: one mean over kept entries, one cosine", () => {
    const d = (weights: object, m?: readonly Node[]) =>
      numberOf(gradientDistance(g, t, m, { ...DISTANCE, ...weights }));
    expect(d({ l1Weight: 1 })).toBeCloseTo(l1(pairs.flat()) / 30, 12);
    expect(d({ l1Weight: 1 }, masks)).toBeCloseTo(l1(keptPairs.flat()) / (8 + 4 + 4), 12);
    expect(d({ cosineWeight: 2 })).toBeCloseTo(2 * (1 - cos(pairs.flat())), 12);
    expect(d({ cosineWeight: 1 }, masks)).toBeCloseTo(1 - cos(keptPairs.flat()), 12);
    expect(d({ l2Weight: 3 }, masks)).toBeCloseTo(3 * keptPairs.flat().reduce((s, [a, b]) => s + (a - b) ** 2, 0), 12);
  });

  it("per tensor: as the release, a mean over all entries of each tensor and a cosine each, summed", () => {
    const scope = { ...DISTANCE, distanceScope: "per-tensor" } as const;
    const byTensor = (f: (list: readonly (readonly [number, number])[], i: number) => number) =>
      keptPairs.reduce((s, list, i) => s + f(list, i), 0);
    expect(numberOf(gradientDistance(g, t, masks, { ...scope, l1Weight: 1 }))).toBeCloseTo(
      byTensor((list, i) => l1(list) / pairs[i]!.length),
      12,
    );
    expect(numberOf(gradientDistance(g, t, masks, { ...scope, cosineWeight: 1 }))).toBeCloseTo(
      byTensor((list) => 1 - cos(list)),
      12,
    );
  });

  it("is 0 at the target and finite, with a finite gradient, where either side is zero", () => {
    const all = { l1Weight: 1, cosineWeight: 1, l2Weight: 1, distanceScope: "per-tensor" } as const;
    expect(numberOf(gradientDistance(g, g, undefined, all))).toBeCloseTo(0, 12);
    const x = input("x", [4]);
    const zeros = float64([4], [0, 0, 0, 0]);
    for (const target of [
      [1, 2, 3, 4],
      [0, 0, 0, 0],
    ]) {
      const loss = gradientDistance([x], [constantOf([4], target)], undefined, all);
      const { value, slope } = evaluate({ value: loss, slope: grad(loss, [x])[0]! }, { x: zeros });
      expect([...value!.data, ...slope!.data].every(Number.isFinite)).toBe(true);
    }
  });
});

describe("activationPenalty", () => {
  it("sums the layers' mean magnitudes", () => {
    expect(numberOf(activationPenalty([constantOf([2, 2], [1, -1, 3, -3]), constantOf([1, 2], [-0.5, 0.5])]))).toBe(
      2.5,
    );
  });
});

describe("gradientMatching", () => {
  it.for([
    ["lenet-sigmoid", "lenet-sigmoid", {}],
    ["resnet10-sigmoid", "resnet10", { width: 8, activation: "sigmoid" }],
    ["resnet10-train", "resnet10", { width: 8 }],
    ["resnet10-eval", "resnet10", { width: 8 }],
  ] as const)("has PyTorch's distance and second-order gradient: %s", { timeout: 20_000 }, async (row, context) => {
    const [file, name, options] = row;
    const path = requireShared(context, `golden/${file}.safetensors`);
    const golden = readSafetensors(readFileSync(path), file).tensors;
    const part = (prefix: string) =>
      Object.fromEntries(
        Object.entries(golden)
          .filter(([entry]) => entry.startsWith(prefix))
          .map(([entry, t]) => [entry.slice(prefix.length), t]),
      ) as Tensors<"float32">;
    const [b, ...inputShape] = golden["dummy.x"]!.shape;
    const model = buildModel(name, { ...options, inputShape, classes: 10 });
    const settings = completeSettings(findAttack("fedleak"), {
      maskRatio: 1,
      tv: 1e-2,
      activationPenalty: 0,
    });
    const x = input("x", [b!, ...inputShape]);
    const mode = file.endsWith("eval") ? "eval" : "train";
    const { loss, cosine } = gradientMatching({ model, mode, settings, statistics: undefined })(
      x,
      constant(oneHot(Array.from(numbers(golden.y!)), 10)),
    );
    const bake = knownTensors({ params: part("param."), buffers: part("buffer."), update: part("grad.") });
    const program = await compile({ loss, cosine, dx: grad(loss, [x])[0]! }, { bake, threads: 1 });
    const result = await program.run({ x: golden["dummy.x"]! });
    await program.release();
    expect(scalarOf(result.loss!)).toBeCloseTo(scalarOf(golden["dist.total"]!), 4); // float32 against float64
    expect(1 - scalarOf(result.cosine!)).toBeCloseTo(scalarOf(golden["dist.cos"]!), 4);
    const expected = numbers(golden["dist.dx"]!);
    const error = Math.hypot(...expected.map((v, i) => v - result.dx!.data[i]!)) / Math.hypot(...expected);
    expect(error).toBeLessThan(1e-5); // float32 through two backward passes; measured 4e-7 … 1e-6
  });
});
