import { describe, expect, test } from "vitest";
import { identification } from "../../src/metrics/index.ts";
import { key, split, uniform } from "../../src/util/index.ts";

describe("identification", () => {
  test("counts the rows whose first distance is the least; a tie is none", () => {
    const found = identification([
      [0.1, 0.2, 0.3],
      [0.3, 0.2, 0.4],
      [0.2, 0.2, 0.9],
      [0, 5, 5],
    ]);
    expect(found.identified).toEqual([true, false, false, true]);
    expect(found.share).toBe(0.5);
    expect(found.chance).toBeCloseTo(1 / 3, 12);
  });

  test("distances that know nothing score the chance level", () => {
    const rows = Array.from({ length: 2000 }, (_, i) => Array.from(uniform(split(key(1), i), 10)));
    const { share, chance } = identification(rows);
    expect(chance).toBe(0.1);
    expect(Math.abs(share - chance)).toBeLessThan(0.02); // 3 · √(0.1 · 0.9 / 2000)
  });

  test("one picture for all is never identified by a tie", () => {
    expect(identification([[0.5, 0.5, 0.5, 0.5]]).share).toBe(0);
  });

  test.each([
    [[], "0 rows of 0"],
    [[[0.1]], "1 rows of 1"],
    [[[0.1, 0.2], [0.1]], "a row [0.1]"],
    [[[0.1, Number.NaN]], "a row [0.1, NaN]"],
  ])("refuses %j", (rows, got) => {
    expect(() => identification(rows)).toThrow(got);
  });
});
