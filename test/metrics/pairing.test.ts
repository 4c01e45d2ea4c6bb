import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  errors,
  type Images,
  identification,
  mse,
  pairInPlaceOf,
  pairManyToOne,
  pairOneToOne,
} from "../../src/metrics/index.ts";
import { float32, row, stack } from "../../src/tensor/index.ts";
import { key, permutation } from "../../src/util/index.ts";
import { arbitraryImages, disturbed, noise } from "./images.ts";

const pick = (images: Images, indices: readonly number[]) => stack(indices.map((i) => row(images, i)));
const total = (truth: Images, reconstruction: Images, pairing: readonly number[]) =>
  mse(truth, pick(reconstruction, pairing)).reduce((sum, error) => sum + error, 0);

/** Every way to give `count` true images distinct reconstructions out of `offered`. */
function injections(count: number, offered: number): number[][] {
  if (count === 0) return [[]];
  return injections(count - 1, offered).flatMap((head) =>
    Array.from({ length: offered }, (_, j) => j)
      .filter((j) => !head.includes(j))
      .map((j) => [...head, j]),
  );
}

describe("pair-one-to-one", () => {
  test("finds a shuffle again", () => {
    const truth = noise([9, 3, 4, 4], 1);
    const order = permutation(key(2), 9);
    const shuffled = disturbed(pick(truth, order), 0.05, 3);
    expect(pairOneToOne(truth, shuffled)).toEqual(order.map((_, i) => order.indexOf(i)));
  });

  // Pixels from {0, ½, 1} make many equal costs, where an assignment can go wrong; arbitrary ones make generic costs.
  const coarse = (count: number) =>
    fc
      .array(fc.constantFrom(0, 0.5, 1), { minLength: count * 2, maxLength: count * 2 })
      .map((pixels) => float32([count, 1, 1, 2], pixels));
  const sizes = fc.integer({ min: 1, max: 5 }).chain((b) => fc.tuple(fc.constant(b), fc.integer({ min: b, max: 6 })));
  const batches = fc.oneof(
    sizes.chain(([b, r]) => fc.tuple(arbitraryImages(b, 1, 2), arbitraryImages(r, 1, 2))),
    sizes.chain(([b, r]) => fc.tuple(coarse(b), coarse(r))),
  );

  test("is the cheapest of all injections, B ≤ 5 and B ≤ R ≤ 6", () => {
    fc.assert(
      fc.property(batches, ([truth, reconstruction]) => {
        const pairing = pairOneToOne(truth, reconstruction);
        expect(new Set(pairing).size).toBe(truth.shape[0]);
        const all = injections(truth.shape[0]!, reconstruction.shape[0]!);
        const best = Math.min(...all.map((candidate) => total(truth, reconstruction, candidate)));
        expect(total(truth, reconstruction, pairing)).toBeLessThanOrEqual(best + 1e-12); // float64 sums of ≤ 5 numbers ≤ 1
      }),
    );
  });

  test("never beats pair-many-to-one, image by image", () => {
    fc.assert(
      fc.property(batches, ([truth, reconstruction]) => {
        const own = mse(truth, pick(reconstruction, pairOneToOne(truth, reconstruction)));
        const best = mse(truth, pick(reconstruction, pairManyToOne(truth, reconstruction)));
        own.forEach((error, i) => {
          expect(error).toBeGreaterThanOrEqual(best[i]!);
        });
      }),
    );
  });

  test("does not depend on the order of the reconstructions", () => {
    const [truth, reconstruction] = [noise([6, 1, 3, 3], 4), noise([8, 1, 3, 3], 5)];
    const order = permutation(key(6), 8);
    const straight = pairOneToOne(truth, reconstruction);
    expect(pairOneToOne(truth, pick(reconstruction, order)).map((j) => order[j])).toEqual(straight);
  });

  test("refuses fewer reconstructions than true images", () => {
    expect(() => pairOneToOne(noise([3, 1, 2, 2], 1), noise([2, 1, 2, 2], 2))).toThrow(
      "pair-one-to-one: every true image must have a reconstruction of its own (3); got 2 reconstructions",
    );
  });
});

describe("pair-many-to-one", () => {
  test("takes the closest, also twice, also from a single one", () => {
    const truth = float32([3, 1, 1, 1], [0, 0.1, 1]);
    expect(pairManyToOne(truth, float32([3, 1, 1, 1], [0.9, 0.1, 0.5]))).toEqual([1, 1, 0]);
    expect(pairManyToOne(truth, float32([1, 1, 1, 1], [0.5]))).toEqual([0, 0, 0]);
  });

  test("takes the lowest index among equals", () => {
    expect(pairManyToOne(float32([1, 1, 1, 1], [0.5]), float32([3, 1, 1, 1], [1, 0.25, 0.75]))).toEqual([1]);
  });
});

test.each([pairOneToOne, pairManyToOne])("%o refuses other image sizes and NaN", (pair) => {
  const truth = noise([2, 1, 2, 2], 1);
  expect(() => pair(truth, noise([2, 1, 2, 3], 2))).toThrow("reconstructions must have the true images' shape [1,2,2]");
  const diverged = float32(
    truth.shape,
    truth.data.map((pixel, i) => (i === 7 ? Number.NaN : pixel)),
  );
  expect(() => pair(truth, diverged)).toThrow("got NaN in image 1");
});

describe("pair-in-place-of", () => {
  const [truth, reconstruction, others] = [noise([5, 1, 3, 3], 1), noise([6, 1, 3, 3], 2), noise([4, 1, 3, 3], 3)];

  test("is what the two pairings give when the image is replaced", () => {
    for (let index = 0; index < 5; index++) {
      const found = pairInPlaceOf(index, errors(truth, reconstruction), others, reconstruction);
      for (let d = 0; d < 4; d++) {
        const batch = stack([0, 1, 2, 3, 4].map((i) => (i === index ? row(others, d) : row(truth, i))));
        expect(found.oneToOne[d]).toBe(pairOneToOne(batch, reconstruction)[index]);
        expect(found.manyToOne[d]).toBe(pairManyToOne(batch, reconstruction)[index]);
      }
    }
  });

  test("leaves what knows nothing at the chance level, where a pairing that saw only the truth lifts it", () => {
    const [batch, decoys, trials] = [8, 9, 60];
    const share = { fair: 0, unfair: 0 };
    for (let t = 0; t < trials; t++) {
      const all = noise([batch * (2 + decoys), 1, 1, 2], 100 + t); // two pixels: unrelated images are often alike
      const range = (from: number, count: number) =>
        pick(
          all,
          Array.from({ length: count }, (_, i) => from + i),
        );
      const [own, rebuilt] = [range(0, batch), range(batch, batch)];
      const pairing = pairOneToOne(own, rebuilt);
      const rows = pairing.map((j, i) => {
        const others = range(batch * 2 + i * decoys, decoys);
        const instead = pairInPlaceOf(i, errors(own, rebuilt), others, rebuilt).oneToOne;
        const candidates = stack([row(own, i), ...instead.map((_, d) => row(others, d))]);
        return {
          fair: mse(candidates, pick(rebuilt, [j, ...instead])),
          unfair: mse(candidates, pick(rebuilt, new Array(decoys + 1).fill(j))),
        };
      });
      share.fair += identification(rows.map(({ fair }) => fair)).share / trials;
      share.unfair += identification(rows.map(({ unfair }) => unfair)).share / trials;
    }
    expect(Math.abs(share.fair - 0.1)).toBeLessThan(0.042); // 3 · √(0.1 · 0.9 / 480)
    expect(share.unfair).toBeGreaterThan(0.2);
  });
});
