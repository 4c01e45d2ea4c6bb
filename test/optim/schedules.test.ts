import { describe, expect, it } from "vitest";
import { constant, cosine, step, warmRestarts, warmUp } from "../../src/optim/index.ts";

describe("schedules", () => {
  it("constant is 1", () => {
    expect([0, 1, 10_000].map(constant())).toEqual([1, 1, 1]);
  });

  it("cosine starts at 1, is ½ halfway, reaches its floor and stays there", () => {
    const at = cosine(100);
    expect(at(0)).toBe(1);
    expect(at(50)).toBeCloseTo(0.5, 15);
    expect(at(25)).toBeCloseTo((1 + Math.SQRT1_2) / 2, 15);
    expect(at(100)).toBeCloseTo(0, 15);
    expect(at(150)).toBeCloseTo(0, 15);
    expect(cosine(100, 0.1)(100)).toBeCloseTo(0.1, 15);
  });

  it("step divides by ten at 3/8, 5/8 and 7/8, at the milestone itself and not before", () => {
    const at = step(80);
    for (const [i, value] of [
      [29, 1],
      [30, 0.1],
      [49, 0.1],
      [50, 0.01],
      [69, 0.01],
      [70, 0.001],
      [79, 0.001],
    ] as const) {
      expect(at(i)).toBeCloseTo(value, 15);
    }
  });

  it("warm-up rises linearly to the schedule after it", () => {
    const at = warmUp(4, cosine(8));
    expect(at(0)).toBeCloseTo(0.25, 15);
    expect(at(3)).toBeCloseTo(cosine(8)(3), 15);
    expect(at(6)).toBe(cosine(8)(6));
    expect(warmUp(0, constant())(0)).toBe(1);
  });

  it("warm restarts begin the schedule anew at each cycle", () => {
    const at = warmRestarts(10, cosine(10));
    expect(at(9)).toBeLessThan(0.03);
    expect(at(10)).toBe(1);
    expect([0, 3, 7].map((i) => at(20 + i))).toEqual([0, 3, 7].map(cosine(10)));
    expect(() => warmRestarts(0, constant())).toThrow("warmRestarts: total must be > 0; got 0");
  });

  it("refuses a total of nothing", () => {
    expect(() => cosine(0)).toThrow("cosine: total must be > 0; got 0");
  });
});
