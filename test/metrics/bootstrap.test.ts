import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bootstrapMean95 } from "../../src/metrics/index.ts";
import { key, normal, split } from "../../src/util/index.ts";

/** The share of `trials` intervals that hold the true mean, 0, of values drawn as `sample` says. */
function coverage(trials: number, sample: (k: ReturnType<typeof key>) => readonly (readonly number[])[]): number {
  let held = 0;
  for (let t = 0; t < trials; t++) {
    const [low, high] = bootstrapMean95(sample(split(key(1), t)), split(key(2), t))!;
    if (low <= 0 && 0 <= high) held++;
  }
  return held / trials;
}

const normals = (k: ReturnType<typeof key>, count: number) => Array.from(normal(k, count));

describe("bootstrap-mean-95", () => {
  // 300 trials estimate a coverage p within 2·√(p(1 − p)/300), ± 0.03 at 0.95; 100 within ± 0.05.
  test("of 30 normal values holds their mean about 95 times of 100", () => {
    const share = coverage(300, (k) => [normals(k, 30)]);
    expect(share).toBeGreaterThan(0.9);
    expect(share).toBeLessThan(0.98);
  });

  test("sees the spread between groups, which the images alone hide", () => {
    // 12 seeds of 8 images: N(0,1) a seed, N(0, 0.1²) an image. Taken as 96 values the interval is √8 times too short.
    const sample = (k: ReturnType<typeof key>) =>
      normals(split(k, "seeds"), 12).map((centre, g) => normals(split(k, g), 8).map((noise) => centre + 0.1 * noise));
    expect(coverage(100, sample)).toBeGreaterThan(0.85); // 12 groups: a little under 95 %
    expect(coverage(100, (k) => [sample(k).flat()])).toBeLessThan(0.6);
  });

  test("its width is that of the normal approximation", () => {
    const values = normals(key(3), 400);
    const [low, high] = bootstrapMean95([values], key(4))!;
    const centre = values.reduce((sum, v) => sum + v, 0) / 400;
    const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - centre) ** 2, 0) / 400);
    expect((high - low) / ((2 * 1.96 * deviation) / 20)).toBeCloseTo(1, 1); // 2000 resamples: within 5 %
    expect((low + high) / 2).toBeCloseTo(centre, 1);
  });

  test("every group counts the same", () => {
    const [low, high] = bootstrapMean95([[1], Array.from({ length: 99 }, () => 0)], key(5))!;
    expect([low, high]).toEqual([0, 1]); // both groups drawn as the first or as the second: a quarter of resamples each
  });

  test("is the same for the same key and another for another", () => {
    const groups = [normals(key(6), 9), normals(key(7), 5)];
    expect(bootstrapMean95(groups, key(8))).toEqual(bootstrapMean95(groups, key(8)));
    expect(bootstrapMean95(groups, key(8))).not.toEqual(bootstrapMean95(groups, key(9)));
  });

  test("of one value is unknown; of equal values it has no width", () => {
    expect(bootstrapMean95([[7]], key(1))).toBeNull();
    expect(bootstrapMean95([[7], [7]], key(1))).toEqual([7, 7]);
  });

  test("lies within the values and is ordered; a shift moves it along", () => {
    const values = fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(values, fc.nat(), (group, seed) => {
        const [low, high] = bootstrapMean95([group], key(seed))!;
        expect(low).toBeLessThanOrEqual(high);
        expect(low).toBeGreaterThanOrEqual(Math.min(...group) - 1e-9); // sums of ≤ 6 numbers in float64
        expect(high).toBeLessThanOrEqual(Math.max(...group) + 1e-9);
        const shifted = bootstrapMean95([group.map((v) => v + 10)], key(seed))!;
        expect(shifted[0]).toBeCloseTo(low + 10, 9);
      }),
      { numRuns: 25 }, // 2000 resamples each
    );
  });

  test("refuses what has no mean", () => {
    expect(() => bootstrapMean95([], key(1))).toThrow("bootstrap: there must be at least one group");
    expect(() => bootstrapMean95([[1], []], key(1))).toThrow("got an empty group 1");
    expect(() => bootstrapMean95([[1, Number.NaN]], key(1))).toThrow("every value must be finite; got NaN");
  });
});
