import { describe, expect, test } from "vitest";
import { fixedPoint, opened, quantised, roundingBound } from "../../src/secure/index.ts";
import { key, uniform } from "../../src/util/index.ts";

const added = (parts: readonly Uint32Array[]) => parts.reduce((sum, part) => sum.map((value, i) => value + part[i]!)); // Uint32Array wraps modulo 2^32

describe("fixed point", () => {
  test.each([1, 2, 3, 7, 100, 65535])("the extremes of %i clients add without overflow", (clients) => {
    const plan = fixedPoint({ range: 0.75, clients });
    const one = quantised([0.75, -0.75, 0], plan);
    const sum = one.map((value) => Math.imul(value, clients)); // = adding it that often
    expect([...new Int32Array(sum.buffer)]).toEqual([clients * plan.levels, -clients * plan.levels, 0]);
    expect(opened(sum, plan)[0]! / (clients * 0.75)).toBeCloseTo(1, 12);
  });

  test("one more level would overflow", () => {
    const { levels } = fixedPoint({ range: 1, clients: 2 });
    expect((2 * levels) | 0).toBe(2 * levels);
    expect((2 * (levels + 1)) | 0).toBeLessThan(0);
  });

  test("the error of an entry stays within its bound and comes near it", () => {
    for (const [range, clients] of [
      [1, 4],
      [3e-4, 1000],
      [5e6, 65535],
    ] as const) {
      // biome-ignore format: pairs
      const plan = fixedPoint({ range, clients });
      const values = uniform(key(clients), 4000).map((u) => (2 * u - 1) * range);
      const errors = opened(quantised(values, plan), plan).map((value, i) => Math.abs(value - values[i]!));
      expect(Math.max(...errors)).toBeLessThanOrEqual(roundingBound(plan));
      expect(Math.max(...errors)).toBeGreaterThan(0.99 * roundingBound(plan)); // of 4000 draws: certain to 1e-17
    }
  });

  test("the error of a sum stays within as many bounds as it has parts", () => {
    const plan = fixedPoint({ range: 1, clients: 5 });
    const parts = [1, 2, 3].map((seed) => uniform(key(seed), 1000));
    const sum = opened(added(parts.map((values) => quantised(values, plan))), plan);
    const errors = sum.map((value, i) => Math.abs(value - parts.reduce((total, values) => total + values[i]!, 0)));
    expect(Math.max(...errors)).toBeLessThanOrEqual(3 * roundingBound(plan));
  });

  test("refuses what does not fit", () => {
    for (const range of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e-40]) {
      expect(() => fixedPoint({ range, clients: 2 })).toThrow(/range must be a finite number/);
    }
    for (const clients of [0, 1.5, 65536, Number.NaN]) {
      expect(() => fixedPoint({ range: 1, clients })).toThrow(/clients must be a whole number from 1 to 65535/);
    }
    const plan = fixedPoint({ range: 1, clients: 2 });
    for (const value of [1.0001, -2, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => quantised([0, value], plan)).toThrow(/every entry must be a number from −1 to 1; got .* at 1/);
    }
  });
});
