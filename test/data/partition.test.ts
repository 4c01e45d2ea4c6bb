import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  imageVariation,
  PARTITIONS,
  type PartitionName,
  type PartitionPlan,
  partition,
  partitionCounts,
} from "../../src/data/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key, uniform } from "../../src/util/index.ts";

const labels = Array.from({ length: 400 }, (_, i) => i % 8);
const variation = Array.from(uniform(key(9), 400));
const PLAN: Omit<PartitionPlan, "name"> = { clients: 10, classesPerClient: 2, alpha: 1, key: key(1) };
const of = (name: PartitionName, changes: Partial<PartitionPlan> = {}, classes = labels) =>
  partition({ labels: classes, variation }, { ...PLAN, name, ...changes });
const counts = (parts: readonly (readonly number[])[]) => partitionCounts(parts, labels, 8);

describe("partition", () => {
  it("gives every image to one client and every client an image, whatever the rule", () => {
    const names = Object.keys(PARTITIONS) as PartitionName[];
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 60, maxLength: 90 }),
        fc.integer({ min: 0, max: 1e6 }),
        (name, clients, classes, seed) => {
          const k = new Set(classes).size; // all classes, so that none is left out
          const images = { labels: classes, variation: Array.from(uniform(key(seed), classes.length)) };
          const plan = { name, clients, classesPerClient: k, alpha: 50, key: key(seed) };
          const sparse = name === "label-skew" && classes.some((c) => classes.filter((d) => d === c).length < clients);
          if (sparse) return; // may rightly leave a client empty
          const parts = partition(images, plan);
          expect(parts).toHaveLength(clients);
          expect(parts.every((indices) => indices.length > 0)).toBe(true);
          expect(parts.flat().sort((a, b) => a - b)).toEqual([...classes.keys()]);
          for (const indices of parts) expect(indices).toEqual([...indices].sort((a, b) => a - b));
          expect(partition(images, plan)).toEqual(parts);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each(["iid", "label-skew", "quantity-skew", "dirichlet"] as const)("%s depends on the key", (name) => {
    expect(of(name)).not.toEqual(of(name, { key: key(2) }));
  });

  it("iid: equal sizes and about equal classes", () => {
    const parts = of("iid");
    expect(parts.map((indices) => indices.length)).toEqual(new Array(10).fill(40));
    const shares = counts(parts).flat();
    expect(Math.max(...shares)).toBeLessThan(15); // 5 are expected; 15 is 4.5 deviations away
    expect(parts[0]).not.toEqual(Array.from({ length: 40 }, (_, i) => i)); // shuffled
  });

  it.each([1, 2, 3, 8])("label-skew: exactly %i classes a client, all images dealt", (k) => {
    const parts = of("label-skew", { classesPerClient: k });
    for (const row of counts(parts)) expect(row.filter((n) => n > 0)).toHaveLength(k);
    expect(parts.flat()).toHaveLength(400);
  });

  it("label-skew: clients differ in which classes they have", () => {
    const kinds = counts(of("label-skew", { clients: 20 })).map((row) => row.map((n) => +(n > 0)).join(""));
    expect(new Set(kinds).size).toBeGreaterThan(5);
  });

  it("quantity-skew: sizes are uneven, the more so the smaller α", () => {
    const spread = (alpha: number) => {
      const sizes = of("quantity-skew", { alpha }).map((indices) => indices.length);
      return Math.max(...sizes) - Math.min(...sizes);
    };
    expect(spread(1)).toBeGreaterThan(40);
    expect(spread(1000)).toBeLessThan(20);
  });

  it("dirichlet: shares of the classes are uneven, the more so the smaller α", () => {
    const share = (alpha: number) =>
      counts(of("dirichlet", { alpha, clients: 5 }))
        .map((row) => Math.max(...row) / row.reduce((a, b) => a + b))
        .reduce((a, b) => a + b) / 5;
    expect(share(0.1)).toBeGreaterThan(0.4);
    expect(share(1000)).toBeLessThan(0.2); // 1/8 where all are even
  });

  it("feature-skew: client by client from smooth to busy", () => {
    const ranges = of("feature-skew").map((indices) => {
      const values = indices.map((i) => variation[i]!);
      return [Math.min(...values), Math.max(...values)] as const;
    });
    for (let u = 1; u < ranges.length; u++) expect(ranges[u]![0]).toBeGreaterThanOrEqual(ranges[u - 1]![1]);
  });

  it("says what cannot be done", () => {
    expect(() => of("iid", { clients: 401 })).toThrow("each of the 401 clients must have an image; got 400 images");
    expect(() => of("label-skew", { classesPerClient: 9 })).toThrow("at most 8, the classes that have images; got 9");
    expect(() => of("quantity-skew", { clients: 100, alpha: 0.01 })).toThrow(
      /without one, client \d+ for one\. Use a larger --alpha/,
    );
    expect(() => of("dirichlet", { clients: 100, alpha: 0.001 })).toThrow("Use a larger --alpha");
    expect(() =>
      of(
        "label-skew",
        { clients: 300, classesPerClient: 1 },
        labels.slice(0, 300).map((l) => +(l > 6)),
      ),
    ).toThrow("partition label-skew");
    expect(() => partition({ labels }, { ...PLAN, name: "feature-skew" })).toThrow(
      "the variation of each of the 400 images",
    );
  });
});

describe("imageVariation", () => {
  it("is the mean step between neighbours, rows and columns", () => {
    const images = float32([3, 1, 2, 3], [0, 0, 0, 0, 0, 0, 0, 0.5, 1, 0, 0.5, 1, 0, 0, 0, 1, 1, 1]);
    expect(imageVariation(images)).toEqual([0, 0.5, 1]);
  });
});
