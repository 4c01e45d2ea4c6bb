import { describe, expect, test } from "vitest";
import { applied, flat, minus, norm, normalUpdate } from "./tiny.ts";

const update = normalUpdate();

describe("gaussian-dp", () => {
  test("clips to the length and no further, and its noise has the stated deviation", async () => {
    const quiet = await applied("gaussian-dp", update, { clip: 2, sigma: 1e-9 });
    expect(norm(flat(quiet))).toBeCloseTo(2, 5);
    const [one, other] = [flat(quiet)[5]! / flat(update)[5]!, flat(quiet)[9]! / flat(update)[9]!];
    expect(one).toBeCloseTo(other, 5); // the same direction
    const long = await applied("gaussian-dp", update, { clip: 1e6, sigma: 1e-12 });
    expect(norm(minus(long, update))).toBeLessThan(1e-4); // shorter than the clip: unchanged

    const noisy = await applied("gaussian-dp", update, { clip: 2, sigma: 3 });
    const noise = minus(noisy, quiet);
    expect(norm(noise) / Math.sqrt(noise.length)).toBeGreaterThan(6 * 0.9); // 640 draws: a standard error of 3 %
    expect(norm(noise) / Math.sqrt(noise.length)).toBeLessThan(6 * 1.1);
  });

  test("takes its noise from epsilon and delta by the classical bound", async () => {
    const noise = async (settings: Record<string, number>) =>
      norm(
        minus(await applied("gaussian-dp", update, settings), await applied("gaussian-dp", update, { sigma: 1e-9 })),
      );
    const usual = await noise({ epsilon: 0.5, delta: 1e-5 });
    expect((await noise({ epsilon: 0.25, delta: 1e-5 })) / usual).toBeCloseTo(2, 3);
    expect((await noise({ epsilon: 0.5, delta: 1e-3 })) / usual).toBeCloseTo(
      Math.sqrt(Math.log(1.25e3) / Math.log(1.25e5)),
      3,
    );
  });
});

describe("quantise", () => {
  test("leaves evenly spaced levels from 0 to the largest, with their signs", async () => {
    for (const bits of [1, 2, 4]) {
      const coarse = await applied("quantise", update, { bits });
      for (const [name, { data }] of Object.entries(coarse)) {
        const before = update[name]!.data;
        const top = Math.max(...before.map(Math.abs));
        const levels = Array.from(data, (value) => (Math.abs(value) / top) * (2 ** bits - 1));
        expect(Math.max(...levels.map((level) => Math.abs(level - Math.round(level))))).toBeLessThan(1e-4);
        expect(new Set(levels.map(Math.round)).size).toBeLessThanOrEqual(2 ** bits);
        data.forEach((value, i) => {
          if (value !== 0) expect(Math.sign(value)).toBe(Math.sign(before[i]!));
          expect(Math.abs(value - before[i]!)).toBeLessThanOrEqual(top / (2 ** bits - 1) + 1e-6);
        });
      }
    }
  });

  test("is unbiased: the mean over draws comes near the update", async () => {
    const small = normalUpdate(3, [20, 20]);
    const sum = new Float64Array(40);
    for (let seed = 0; seed < 400; seed++) {
      flat(await applied("quantise", small, { bits: 2 }, { seed })).forEach((value, i) => {
        sum[i]! += value / 400;
      });
    }
    const step = 3 / 3; // the largest of 20 normal draws is near 2.5, a third of it a level apart
    flat(small).forEach((value, i) => {
      expect(Math.abs(sum[i]! - value)).toBeLessThan((4 * step * 0.5) / 20); // 4 standard errors of 400 draws
    });
  });
});

describe("sparsify", () => {
  test("zeroes exactly the share, of the smallest, in each tensor", async () => {
    for (const percent of [0, 25, 90, 100]) {
      const sparse = await applied("sparsify", update, { percent });
      for (const [name, { data }] of Object.entries(sparse)) {
        const before = update[name]!.data;
        const zeroed = [...before].filter((_, i) => data[i] === 0);
        const kept = [...before].filter((_, i) => data[i] !== 0);
        expect(zeroed.length).toBe((before.length * percent) / 100);
        expect(kept).toEqual([...data].filter((value) => value !== 0)); // the others as they were
        const most = Math.max(0, ...zeroed.map(Math.abs));
        for (const value of kept) expect(Math.abs(value)).toBeGreaterThanOrEqual(most);
      }
    }
  });
});

describe("sign", () => {
  test("keeps signs and, with the mean as scale, each tensor's L1 norm", async () => {
    const signs = await applied("sign", update);
    for (const [name, { data }] of Object.entries(signs)) {
      const before = update[name]!.data;
      expect(new Set(data.map(Math.abs)).size).toBe(1);
      expect([...data].map(Math.sign)).toEqual([...before].map(Math.sign));
      const l1 = (values: Float32Array) => values.reduce((sum, value) => sum + Math.abs(value), 0);
      expect(l1(data) / l1(before)).toBeCloseTo(1, 4);
    }
    expect(new Set(flat(await applied("sign", update, { scale: "one" })))).toEqual(new Set([1, -1]));
  });
});
