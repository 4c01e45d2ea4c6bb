import { expect, test } from "vitest";
import { chain, link } from "../../src/defences/index.ts";
import { clientGradientStep } from "../../src/fl/index.ts";
import {
  fixedPoint,
  flatUpdate,
  maskedRound,
  opened,
  quantised,
  roundingBound,
  seededRandom,
  unflattened,
} from "../../src/secure/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key, split } from "../../src/util/index.ts";
import { tinyStep } from "../defences/tiny.ts";

test("the mean that masks open is what the defence secure-aggregation shows, up to the rounding", async () => {
  const step = tinyStep(); // four images of 16 pixels
  const clients = 2;
  const shown = (await chain(link("secure-aggregation", { clients }))(step, key(1))).update;
  const updates = await Promise.all(
    [0, 1].map(async (u) => {
      const images = float32([2, 1, 4, 4], step.images.data.slice(32 * u, 32 * (u + 1)));
      return (await clientGradientStep({ ...step, images, labels: step.labels.slice(2 * u, 2 * (u + 1)) })).update;
    }),
  );
  const plan = fixedPoint({ range: 1, clients });
  const { sum } = await maskedRound({
    inputs: updates.map((update) => quantised(flatUpdate(update, shown, "update"), plan)),
    threshold: 2,
    random: (id) => seededRandom(split(key(2), id)),
    clock: () => 0,
  });
  const mean = opened(sum, plan).map((value) => value / clients);
  const expected = flatUpdate(shown, shown, "defence");
  const errors = mean.map((value, i) => Math.abs(value - expected[i]!) - Math.abs(value) * 2 ** -23); // the defence's own float32
  expect(Math.max(...errors)).toBeLessThanOrEqual(roundingBound(plan));
  expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(1e5 * roundingBound(plan)); // so the bound says something
  const tensors = unflattened(mean, shown);
  expect(Object.keys(tensors)).toEqual(Object.keys(shown));
  for (const [name, { shape }] of Object.entries(shown)) expect(tensors[name]!.shape).toEqual(shape);
});

test("updates of different models are not added", () => {
  const one = { a: float32([2], [1, 2]), b: float32([1], [3]) };
  expect([...flatUpdate(one, one, "u")]).toEqual([1, 2, 3]);
  expect(() => flatUpdate({ a: one.a }, one, "u")).toThrow(/u: tensor "b" must .*\(1\); got none/);
  expect(() => flatUpdate({ ...one, c: one.b }, one, "u")).toThrow(/tensor "c"/);
  expect(() => flatUpdate({ ...one, a: float32([1, 2], [1, 2]) }, one, "u")).toThrow(/got 1×2/);
});
