import { describe, expect, test } from "vitest";
import { pearson, pearsonInterval95, spearman } from "../../src/audit/explain/correlation.ts";
import { dampingPaths } from "../../src/audit/explain/damping.ts";
import { gradientDistances } from "../../src/audit/explain/distances.ts";
import { noiseCurves, STRENGTHS } from "../../src/audit/explain/noise.ts";
import { sensitivitiesOf } from "../../src/audit/explain/sensitivity.ts";
import { clientGradientStep } from "../../src/fl/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { programCache } from "../../src/runtime/index.ts";
import { float32, type Tensors } from "../../src/tensor/index.ts";
import { key, normal, uniform } from "../../src/util/index.ts";

describe("correlation", () => {
  test("of known data", () => {
    expect(pearson([1, 2, 3, 4], [2, 4, 6, 8])).toBeCloseTo(1, 12);
    expect(pearson([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1, 12);
    expect(pearson([1, 2, 3, 4, 5], [2, 1, 4, 3, 5])).toBeCloseTo(0.8, 12); // Σ products 8 of √(10·10)
    expect(spearman([1, 2, 3, 4], [1, 8, 27, 1000])).toBeCloseTo(1, 12);
    expect(spearman([1, 2, 2, 3], [1, 2, 2, 3])).toBeCloseTo(1, 12);
    expect(spearman([1, 1, 2], [1, 2, 3])).toBeCloseTo(Math.sqrt(0.75), 12); // ranks 1.5, 1.5, 3 and 1, 2, 3
  });

  test("is undefined for a constant list", () => {
    expect(pearson([1, 1, 1], [1, 2, 3])).toBeNull();
    expect(spearman([1, 2, 3], [4, 4, 4])).toBeNull();
  });

  test("its interval holds the truth and narrows with more pairs", () => {
    const pairs = (n: number) => {
      const [a, b] = [normal(key(1), n), normal(key(2), n)];
      return [Array.from(a), Array.from(a, (v, i) => 0.6 * v + 0.8 * b[i]!)] as const; // correlation 0.6
    };
    const [few, many] = [50, 800].map((n) => pearsonInterval95(...pairs(n), key(3))!);
    expect(many![0]).toBeLessThan(0.6);
    expect(many![1]).toBeGreaterThan(0.6);
    expect(many![1] - many![0]).toBeCloseTo(0.089, 1); // 2·1.96·(1 − 0.36)/√800
    expect(few![1] - few![0]).toBeGreaterThan(2 * (many![1] - many![0]));
    expect(pearsonInterval95([1, 2], [1, 2], key(0))).toBeNull();
  });
});

describe("gradient distances", () => {
  test("by hand, all entries and the larger half of |g'|", () => {
    const candidate = { a: float32([3], [3, 0.5, -4]), b: float32([1], [0.1]) };
    const observed = { a: float32([3], [3, 1, 0]), b: float32([1], [0.1]) };
    const full = gradientDistances(candidate, observed, 1);
    const cosine = 1 - 9.51 / (Math.sqrt(25.26) * Math.sqrt(10.01));
    expect(full.l2).toBeCloseTo(Math.sqrt(0.25 + 16), 6);
    expect(full.cosine).toBeCloseTo(cosine, 6);
    expect(full.l1Cosine).toBeCloseTo(4.5 / 4 + cosine, 6);
    const half = gradientDistances(candidate, observed, 0.5); // 3 and −4
    expect(half.l2).toBeCloseTo(4, 6);
    expect(half.cosine).toBeCloseTo(1 - 9 / (5 * 3), 6);
    expect(half.l1Cosine).toBeCloseTo(2 + half.cosine, 6);
  });

  test("keep exactly the entries that sorting would", () => {
    const values = Float32Array.from(normal(key(5), 1001));
    const observed = float32([1001], new Float32Array(1001));
    const tensors = { a: float32([500], values.slice(0, 500)), b: float32([501], values.slice(500)) };
    const zeros = { a: float32([500], observed.data.slice(0, 500)), b: float32([501], observed.data.slice(500)) };
    for (const keep of [0.001, 0.3, 0.5, 0.999]) {
      const kept = values
        .map(Math.abs)
        .sort()
        .slice(-Math.ceil(keep * 1001));
      const norm = Math.sqrt(kept.reduce((sum, v) => sum + v * v, 0));
      expect(gradientDistances(tensors, zeros, keep).l2).toBeCloseTo(norm, 5);
      expect(gradientDistances(tensors, zeros, keep).cosine).toBe(1);
    }
  });

  test("of a gradient to itself are zero", () => {
    const g = { a: float32([7], normal(key(1), 7)) };
    expect(gradientDistances(g, g, 0.5)).toEqual({ l2: 0, cosine: 0, l1Cosine: 0 });
  });
});

describe("noise curves", () => {
  const images = float32([1, 1, 4, 4], uniform(key(1), 16));
  /** g = 3x + 1: noise of strength s moves each entry by 3s. */
  const linear = async ({ data }: typeof images): Promise<Tensors<"float32">> => ({
    w: float32(
      [16],
      data.map((v) => 3 * v + 1),
    ),
  });
  const plan = { draws: 2, maskRatio: 0.5, key: key(4), tick: () => {}, stopped: () => false };

  test("are 0 at strength 0, rise, and are exact for a linear gradient", async () => {
    const { full, partial, status, gradientNorm } = await noiseCurves(linear, images, plan);
    expect(status).toBe("finished");
    expect(full.map(({ strength }) => strength)).toEqual(STRENGTHS);
    expect(full[0]).toEqual({ strength: 0, l2: [0, 0], cosine: [0, 0], l1Cosine: [0, 0] });
    for (const { strength, l2 } of full) for (const d of l2) expect(d).toBeCloseTo(3 * strength * 4, 4); // √16 entries
    for (const levels of [full, partial]) {
      for (const name of ["l2", "cosine", "l1Cosine"] as const) {
        const means = levels.map((level) => (level[name][0]! + level[name][1]!) / 2);
        for (let i = 1; i < means.length; i++) expect(means[i]).toBeGreaterThan(means[i - 1]!);
      }
    }
    expect(partial.at(-1)!.l2[0]).toBeCloseTo(3 * Math.sqrt(8), 4);
    expect(full.at(-1)!.cosine[0]).not.toBe(full.at(-1)!.cosine[1]); // two draws
    const { w } = await linear(images);
    expect(gradientNorm).toBeCloseTo(Math.hypot(...w!.data), 4);
  });

  test("keep whole draws when they are stopped", async () => {
    let done = 0;
    const curves = await noiseCurves(linear, images, {
      ...plan,
      draws: 5,
      tick: (n) => (done = n),
      stopped: () => done >= 11,
    });
    expect(curves).toMatchObject({ status: "interrupted", draws: 1 });
    expect(curves.full.every(({ l2 }) => l2.length === 1)).toBe(true);
  });
});

describe("sensitivity", () => {
  const model = buildModel("mlp3", { inputShape: [1, 3, 3], classes: 3, hidden: 4, activation: "sigmoid" });
  const weights = initialise(model, key(7));
  const images = float32([2, 1, 3, 3], uniform(key(8), 18));
  const plan = {
    model,
    weights,
    images,
    labels: [0, 2],
    mode: "train",
    device: "cpu",
    threads: 1,
    key: key(9),
  } as const;

  test("is Σ|∂g_i/∂x|, as central differences have it", async () => {
    const names = [model.head.weight, model.head.bias!];
    const { magnitudes, sensitivities, ...found } = await sensitivitiesOf({ ...plan, names, entries: 99 }, () => true);
    expect(found).toMatchObject({ entries: 15, sampled: 15, pearsonInterval95: null });
    const programs = programCache();
    const gradientAt = async (data: Float32Array) => {
      const moved = float32(images.shape, data);
      const { update } = await clientGradientStep({ ...plan, images: moved, compile: programs.compile });
      return names.flatMap((name) => Array.from(update[name]!.data));
    };
    const here = await gradientAt(images.data);
    const step = 0.05; // the network is smooth: errors of order step² beside float32's 1e-7/step
    const expected = new Array(15).fill(0);
    for (let k = 0; k < 18; k++) {
      const at = (by: number) => gradientAt(images.data.map((v, i) => (i === k ? v + by : v)));
      const [up, down] = [await at(step), await at(-step)];
      for (let i = 0; i < 15; i++) expected[i] += Math.abs(up[i]! - down[i]!) / (2 * step);
    }
    await programs.release();
    for (let i = 0; i < 15; i++) {
      expect(magnitudes[i]).toBeCloseTo(Math.abs(here[i]!), 6);
      expect(Math.abs(sensitivities[i]! - expected[i]!)).toBeLessThan(1e-3 * Math.max(...expected));
    }
    expect(found.pearson).toBeCloseTo(pearson(magnitudes, sensitivities)!, 12);
  });

  test("is sampled without replacement, by the key, and stops when told", async () => {
    const names = model.params.map(({ name }) => name);
    const some = await sensitivitiesOf({ ...plan, names, entries: 20 }, () => true);
    expect(some.sampled).toBe(20);
    expect(new Set(some.sensitivities).size).toBeGreaterThan(15); // equal ones only by symmetry
    expect((await sensitivitiesOf({ ...plan, names, entries: 20 }, () => true)).magnitudes).toEqual(some.magnitudes);
    const other = await sensitivitiesOf({ ...plan, names, entries: 20, key: key(10) }, (n) => n < 4);
    expect(other.sampled).toBe(4);
    expect(other.magnitudes).not.toEqual(some.magnitudes.slice(0, 4));
  });
});

test("the damping example: x_t = 0.5·(1 − 2η(1 − 2γη))^t", () => {
  const paths = dampingPaths();
  expect(paths.map(({ gamma, stepSize }) => [gamma, stepSize])).toEqual([
    [0, 1],
    [0, 0.9],
    [0.3, 1],
    [0.3, 0.9],
  ]);
  for (const { gamma, stepSize, points } of paths) {
    const factor = 1 - 2 * stepSize * (1 - 2 * gamma * stepSize);
    for (const [t, x] of points.entries()) expect(x).toBeCloseTo(0.5 * factor ** t, 12);
  }
  expect(paths[0]!.points.slice(0, 3)).toEqual([0.5, -0.5, 0.5]);
  expect(paths[2]!.points[1]).toBeCloseTo(0.1, 12); // 0.5 − (0.7·1 + 0.3·(−1))
});
