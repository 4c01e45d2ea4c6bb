import fc from "fast-check";
import { expect, test } from "vitest";
import { thin } from "../../src/report/thin.ts";

const curves = fc
  .array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 500 })
  .map((values) => values.map((y, x) => ({ x, y })));

test("keeps both ends, the extremes and the order, makes nothing up, obeys the limit", () => {
  fc.assert(
    fc.property(curves, fc.integer({ min: 4, max: 60 }), (samples, limit) => {
      const kept = thin(samples, limit);
      const heights = (list: typeof samples) => list.map((sample) => sample.y);
      expect(kept.length).toBeLessThanOrEqual(Math.max(limit, 1));
      expect(kept[0]).toBe(samples[0]);
      expect(kept.at(-1)).toBe(samples.at(-1));
      expect(Math.max(...heights([...kept]))).toBe(Math.max(...heights(samples)));
      expect(Math.min(...heights([...kept]))).toBe(Math.min(...heights(samples)));
      kept.forEach((sample, i) => {
        expect(samples[sample.x]).toBe(sample);
        expect(i === 0 || kept[i - 1]!.x < sample.x).toBe(true);
      });
    }),
  );
});

test("leaves a short curve alone and uses what it may of a long one", () => {
  const long = Array.from({ length: 10_000 }, (_, x) => ({ x, y: Math.sin(x) }));
  expect(thin(long.slice(0, 100), 100)).toHaveLength(100);
  expect(thin(long, 100).length).toBeGreaterThan(90);
});
