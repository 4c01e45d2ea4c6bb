import { describe, expect, test } from "vitest";
import { featureScores } from "../../src/defences/index.ts";
import { clientGradientStep } from "../../src/fl/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";
import { applied, flat, minus, norm, normalUpdate, tinyStep } from "./tiny.ts";

const update = normalUpdate();
const step = tinyStep();

describe("gradient-share and selective-encryption", () => {
  test("show exactly the share, the largest or the smallest, unchanged", async () => {
    const all = flat(update);
    for (const percent of [0, 20, 55, 100]) {
      const count = (all.length * percent) / 100;
      const [top, bottom, open] = await Promise.all([
        applied("gradient-share", update, { percent, side: "top" }),
        applied("gradient-share", update, { percent, side: "bottom" }),
        applied("selective-encryption", update, { percent }),
      ]);
      for (const [seen, expected, largest] of [
        [top, count, true],
        [bottom, count, false],
        [open, all.length - count, false],
      ] as const) {
        const shown = flat(seen);
        const [kept, hidden] = [all.filter((_, i) => shown[i] !== 0), all.filter((_, i) => shown[i] === 0)];
        expect(kept.length).toBe(expected);
        expect(shown.filter((value) => value !== 0)).toEqual(kept);
        const [near, far] = largest ? [hidden, kept] : [kept, hidden];
        expect(Math.max(0, ...near.map(Math.abs))).toBeLessThanOrEqual(Math.min(9, ...far.map(Math.abs)));
      }
    }
  });

  test("count equal magnitudes exactly, too", async () => {
    const equal = { "a.weight": float32([2, 5], [1, -1, 1, 1, -1, 1, 1, 1, 1, 1]) };
    expect(flat(await applied("gradient-share", equal, { percent: 30 }))).toEqual([1, -1, 1, 0, 0, 0, 0, 0, 0, 0]);
  });
});

describe("soteria", () => {
  test("zeroes the columns under the percentile of the last weight, and touches no other tensor", async () => {
    const { update: sent } = await clientGradientStep(step);
    const scores = await featureScores(step);
    const name = step.model.head.weight;
    for (const percentile of [0, 50, 100]) {
      const defended = await applied("soteria", sent, { percentile }, { step });
      for (const other of Object.keys(sent)) if (other !== name) expect(defended[other]).toBe(sent[other]);
      const ranked = [...scores].sort((a, b) => a - b);
      const least = percentile === 0 ? -1 : percentile === 100 ? ranked[7]! : (ranked[3]! + ranked[4]!) / 2; // of 8
      defended[name]!.data.forEach((value, i) => {
        expect(value).toBe(scores[i % 8]! < least ? 0 : sent[name]!.data[i]);
      });
    }
  });

  test("its scores are the features' slopes by the images over the features, by central differences", async () => {
    const scores = await featureScores(step);
    const { features, slopes } = byDifferences();
    for (let i = 0; i < 8; i++) {
      const expected = slopes.reduce((sum, ofImage, b) => sum + norm(ofImage[i]!) / (features[b]![i]! + 0.1), 0);
      expect(Math.abs(scores[i]! - expected)).toBeLessThan(1e-3 * (1 + expected)); // float32 against differences of 1e-5
    }
  });
});

/** The tiny network's last hidden units for each image, and their slopes by its 16 pixels, in float64. */
function byDifferences() {
  const { images, weights, model } = step;
  const layers = model.params
    .filter(({ name }) => name.endsWith("weight"))
    .slice(0, -1)
    .map(({ name, shape }) => ({
      weight: weights.params[name]!.data,
      bias: weights.params[name.replace("weight", "bias")]!.data,
      width: shape[1]!,
    }));
  const run = (x: readonly number[]) =>
    layers.reduce(
      (h, { weight, bias, width }) =>
        Array.from(bias, (b, o) =>
          Math.max(
            0,
            h.reduce((sum, value, i) => sum + value * weight[o * width + i]!, b),
          ),
        ),
      x,
    );
  const each = step.labels.map((_, b) => [...images.data.slice(16 * b, 16 * (b + 1))]);
  const slope = (x: number[], i: number) =>
    x.map((_, p) => {
      const moved = (by: number) => run(x.map((value, q) => (p === q ? value + by : value)))[i]!;
      return (moved(1e-5) - moved(-1e-5)) / 2e-5;
    });
  return {
    features: each.map(run),
    slopes: each.map((x) => Array.from({ length: 8 }, (_, i) => slope(x, i))),
  };
}

describe("outpost", () => {
  const weights = { params: { "a.weight": float32([30, 20], normal(key(9), 600)) }, buffers: {} };
  const one = { "a.weight": update["a.weight"]! };
  const outpost = (settings: Record<string, number>, { seed = 7, scale = 1 } = {}) => {
    const data = weights.params["a.weight"].data.map((value) => value * scale);
    return applied("outpost", one, settings, {
      seed,
      step: { ...step, weights: { params: { "a.weight": float32([30, 20], data) }, buffers: {} } },
    });
  };

  test("prunes exactly the share under the percentile where no noise goes", async () => {
    const pruned = flat(await outpost({ fisher: 0, prune: 75 }));
    expect(pruned.filter((value) => value === 0).length).toBe(450);
    expect(await outpost({ fisher: 0, prune: 0 })).toEqual(one);
  });

  test("adds noise to the columns of highest Fisher value only, by risk", async () => {
    const quiet = await outpost({ prune: 0, fisher: 0 });
    const noise = minus(await outpost({ prune: 0, fisher: 40, noise: 0.8 }, { scale: 3 }), quiet); // variance 9: risk 1
    const fisher = Array.from({ length: 20 }, (_, i) => norm(flat(quiet).filter((_v, at) => at % 20 === i)));
    const least = [...fisher].sort((a, b) => b - a)[7]!; // 8 of 20 columns are 40 %
    expect(noise.map((value) => value !== 0)).toEqual(noise.map((_, i) => fisher[i % 20]! >= least));
    const strong = noise.filter((value) => value !== 0);
    expect(Math.abs(norm(strong) / Math.sqrt(strong.length) / 0.8 - 1)).toBeLessThan(0.15); // 240 draws: 4.6 %
    const weak = minus(await outpost({ prune: 0, fisher: 40, noise: 0.8 }, { scale: 0.3 }), quiet); // variance 0.09
    expect(norm(weak) / norm(strong)).toBeGreaterThan(0.06);
    expect(norm(weak) / norm(strong)).toBeLessThan(0.12);
  });

  test("acts with probability 1/(1 + β·iteration)", async () => {
    const acts = async (settings: Record<string, number>) => {
      let count = 0;
      for (let seed = 0; seed < 300; seed++) if ((await outpost({ ...settings, fisher: 0 }, { seed })) !== one) count++;
      return count / 300;
    };
    expect(await acts({ iteration: 0 })).toBe(1);
    expect(Math.abs((await acts({ iteration: 8, beta: 0.125 })) - 0.5)).toBeLessThan(0.12); // 4 standard errors
    expect(Math.abs((await acts({ iteration: 8, beta: 0.5 })) - 0.2)).toBeLessThan(0.1);
  });
});

describe("guardian-objective", () => {
  const leak = (of: readonly number[], g: readonly number[], p: number) =>
    of.reduce((sum, t, i) => sum + Math.abs(g[i]!) ** p * t * t, 0);
  const along = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

  test("keeps the use exactly, at the least assumed leakage", async () => {
    const g = flat(update);
    for (const [utility, exponent] of [
      [1, 0.5],
      [0.3, 1],
    ] as const) {
      const t = flat(await applied("guardian-objective", update, { utility, exponent }));
      expect(along(t, g) / norm(g) ** 2).toBeCloseTo(utility, 5);
      for (let seed = 0; seed < 20; seed++) {
        const draw = [...normal(key(seed), g.length)];
        const parallel = along(draw, g) / norm(g) ** 2;
        const other = t.map((value, i) => value + 0.1 * (draw[i]! - parallel * g[i]!)); // of the same use
        expect(leak(other, g, exponent)).toBeGreaterThan(leak(t, g, exponent));
      }
    }
  });

  test("exponent 0 scales the update, 1 leaves signs of one size; zeros stay", async () => {
    const scaled = await applied("guardian-objective", update, { utility: 0.5, exponent: 0 });
    expect(norm(flat(scaled).map((value, i) => value - 0.5 * flat(update)[i]!))).toBeLessThan(1e-4);
    const signs = flat(await applied("guardian-objective", update, { exponent: 1 }));
    expect(new Set(signs.map(Math.abs)).size).toBe(1);
    const zeros = { "a.weight": float32([2], [0, 0]) };
    expect(await applied("guardian-objective", zeros)).toEqual(zeros);
  });
});
