import { expect, test } from "vitest";
import { drawBatch, drawIndices, type LabelledImages, takeBatch } from "../../src/data/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key } from "../../src/util/index.ts";

/** M images [1,1,2]; image i holds i and i + 0.5, so that a pixel tells which image it is from. */
function numbered(labels: readonly number[]): LabelledImages {
  const pixels = labels.flatMap((_, i) => [i, i + 0.5]);
  return { images: float32([labels.length, 1, 1, 2], pixels), labels, classNames: ["a", "b", "c"], source: "s" };
}

const DATA = numbered([0, 0, 0, 0, 1, 1, 2, 0, 0, 0]);

test("takeBatch copies the images and labels at the indices, in their order, and keeps the rest", () => {
  const batch = takeBatch(DATA, [6, 0, 4]);
  expect(batch).toEqual({
    images: float32([3, 1, 1, 2], [6, 6.5, 0, 0.5, 4, 4.5]),
    labels: [2, 0, 1],
    classNames: DATA.classNames,
    source: "s",
  });
  batch.images.data[0] = 99;
  expect(DATA.images.data[12]).toBe(6);
});

test.each([[[10]], [[-1]], [[0.5]], [[Number.NaN]], [[]]])("takeBatch refuses indices %j", (indices) => {
  expect(() => takeBatch(DATA, indices)).toThrow("whole numbers from 0 to 9");
});

test("a draw is the same for the same key, another for another, and has no image twice", () => {
  const draw = (seed: number) => drawIndices(DATA.labels, { batch: 6, key: key(seed) });
  expect(draw(1)).toEqual(draw(1));
  expect(new Set(Array.from({ length: 8 }, (_, seed) => draw(seed).join())).size).toBeGreaterThan(6);
  for (let seed = 0; seed < 20; seed++) {
    expect(new Set(draw(seed)).size).toBe(6);
  }
  expect(drawIndices(DATA.labels, { batch: 10, key: key(3) }).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("the default draw takes every image equally often", () => {
  const times = new Array<number>(10).fill(0);
  const draws = 2000;
  for (let seed = 0; seed < draws; seed++) {
    for (const i of drawIndices(DATA.labels, { batch: 3, key: key(seed) })) times[i]!++;
  }
  // Each count is binomial(2000, 0.3): mean 600, standard deviation 20.5; 5 deviations either side.
  for (const count of times) expect(Math.abs(count - 600)).toBeLessThan(103);
});

test("onePerClass takes each class once while there are classes left, then once more, and favours no image", () => {
  const first = new Set<number>();
  for (let seed = 0; seed < 60; seed++) {
    const indices = drawIndices(DATA.labels, { batch: 6, key: key(seed), onePerClass: true });
    const labels = indices.map((i) => DATA.labels[i]);
    expect([...labels.slice(0, 3)].sort()).toEqual([0, 1, 2]);
    expect([...labels.slice(3, 5)].sort()).toEqual([0, 1]); // class 2 has but one image
    expect(labels[5]).toBe(0);
    expect(new Set(indices).size).toBe(6);
    for (const i of indices.slice(0, 3)) first.add(i);
  }
  expect(first.size).toBe(10);
});

test("without onePerClass labels repeat: the option changes the outcome", () => {
  const repeats = (onePerClass: boolean) =>
    Array.from({ length: 20 }, (_, seed) => drawBatch(DATA, { batch: 3, key: key(seed), onePerClass })).filter(
      ({ labels }) => new Set(labels).size < 3,
    ).length;
  expect(repeats(true)).toBe(0);
  expect(repeats(false)).toBeGreaterThan(10);
});

test("drawBatch takes what drawIndices drew", () => {
  const draw = { batch: 4, key: key(5) };
  expect(drawBatch(DATA, draw)).toEqual(takeBatch(DATA, drawIndices(DATA.labels, draw)));
});

test.each([0, 11, 1.5, -1, Number.NaN])("a batch of %d of 10 images is refused", (batch) => {
  expect(() => drawBatch(DATA, { batch, key: key(0) })).toThrow(
    `drawBatch: batch must be a whole number from 1 to 10, the number of images; got ${batch}.`,
  );
});
