import fc from "fast-check";
import { expect, test } from "vitest";
import { scoreLabels } from "../../src/metrics/index.ts";
import { key, permutation } from "../../src/util/index.ts";

const labels = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 12 });

test("counts classes, not positions", () => {
  expect(scoreLabels([3, 3, 1, 0], [0, 3, 2, 3])).toEqual({ countAccuracy: 0.75, exact: false });
  expect(scoreLabels([3, 3, 1, 0], [0, 1, 3, 3])).toEqual({ countAccuracy: 1, exact: true });
  expect(scoreLabels([1, 1], [2, 2])).toEqual({ countAccuracy: 0, exact: false });
});

test("guessing every class many times does not pay", () => {
  expect(scoreLabels([1, 2], [0, 0, 1, 1, 2, 2, 3, 3])).toEqual({ countAccuracy: 0.25, exact: false });
  expect(scoreLabels([1, 2, 3, 4], [1, 2])).toEqual({ countAccuracy: 0.5, exact: false });
  expect(scoreLabels([1, 2], [])).toEqual({ countAccuracy: 0, exact: false });
});

test("symmetric, blind to order, 1 exactly for equal multisets", () => {
  fc.assert(
    fc.property(labels, labels, fc.nat(), (a, b, seed) => {
      const score = scoreLabels(a, b);
      expect(scoreLabels(b, a)).toEqual(score);
      expect(
        scoreLabels(
          a,
          permutation(key(seed), b.length).map((i) => b[i]!),
        ),
      ).toEqual(score);
      const equal = `${[...a].sort()}` === `${[...b].sort()}`;
      expect(score.exact).toBe(equal);
      expect(score.countAccuracy === 1).toBe(equal);
    }),
  );
});

test("refuses what is not a class index", () => {
  expect(() => scoreLabels([1], [0.5])).toThrow("labels: every label must be an integer ≥ 0; got 0.5");
  expect(() => scoreLabels([-1], [0])).toThrow("got -1");
  expect(() => scoreLabels([], [0])).toThrow("there must be at least one true label");
});
