import { expect, test } from "vitest";
import { exp, input, mul, sum } from "../src/graph/index.ts";
import { programCache } from "../src/runtime/index.ts";
import { float32 } from "../src/tensor/index.ts";

const x = input("x", [3]);
const w = input("w", [3]);
const feed = { x: float32([3], [0, 1, 2]) };
const build = () => ({ y: sum(mul(exp(x), w)) });

test("equal requests share a program; other outputs, baked tensors or threads do not; release frees all", async () => {
  const cache = programCache();
  const one = float32([3], [1, 1, 1]);
  const runOf = async (...request: Parameters<typeof cache.compile>) => (await cache.compile(...request)).run;
  const first = await runOf(build(), { bake: { w: one } });
  expect(await runOf(build(), { bake: { w: one } })).toBe(first);
  expect(await runOf({ z: build().y }, { bake: { w: one } })).not.toBe(first);
  expect(await runOf(build(), { bake: { w: float32([3], [2, 2, 2]) } })).not.toBe(first);
  expect(await runOf(build(), { bake: { w: one }, threads: 1 })).not.toBe(first);

  const borrowed = await cache.compile(build(), { bake: { w: one } });
  await borrowed.release(); // does nothing: the cache owns it
  expect((await borrowed.run(feed)).y!.data[0]).toBeCloseTo(1 + Math.E + Math.E ** 2, 4);
  await cache.release();
  await expect(borrowed.run(feed)).rejects.toThrow();
  expect(await runOf(build(), { bake: { w: one } })).not.toBe(first);
  await cache.release();
});
