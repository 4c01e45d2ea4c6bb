import { describe, expect, test } from "vitest";
import { identification, shareInterval95 } from "../../src/metrics/index.ts";
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

describe("share-interval-95", () => {
  test("is Wilson's, as tables have it", () => {
    const [low, high] = shareInterval95(0.1, 10);
    expect(low).toBeCloseTo(0.0179, 4); // Brown, Cai and DasGupta 2001 and any statistics package
    expect(high).toBeCloseTo(0.4042, 4);
    expect(shareInterval95(1, 8)[0]).toBeCloseTo(0.6756, 4);
    expect(shareInterval95(1, 8)[1]).toBe(1);
    expect(shareInterval95(0, 4)[0]).toBe(0);
  });

  test("holds the true share in about 95 of 100 draws, also near its ends", () => {
    for (const truth of [0.1, 0.5, 0.95]) {
      let held = 0;
      for (let t = 0; t < 1000; t++) {
        const found = uniform(split(split(key(2), truth * 100), t), 20).filter((draw) => draw < truth).length;
        const [low, high] = shareInterval95(found / 20, 20);
        if (low <= truth && truth <= high) held++;
      }
      expect(held / 1000, `${truth}`).toBeGreaterThan(0.9);
      expect(held / 1000, `${truth}`).toBeLessThan(0.99);
    }
  });

  test("refuses what is no share", () => {
    expect(() => shareInterval95(1.5, 2)).toThrow("got 1.5 of 2");
    expect(() => shareInterval95(Number.NaN, 2)).toThrow("got NaN of 2");
    expect(() => shareInterval95(0, 0)).toThrow("got 0 of 0");
  });
});
