import { expect, test } from "vitest";
import { input, kthLargest } from "../src/graph/index.ts";
import { compile } from "../src/runtime/index.ts";
import { sampleStride } from "../src/runtime/lower/kth-largest.ts";
import { float32, scalarOf } from "../src/tensor/index.ts";
import { key, normal } from "../src/util/index.ts";

const N = 3 * 70_001; // long enough for the bracket

const SHAPES: Record<string, (v: Float64Array) => Float64Array> = {
  normal: (v) => v,
  "mostly zeros": (v) => v.map((x) => Math.max(0, x - 1)),
  "all equal": (v) => v.fill(2),
  sorted: (v) => v.sort(),
  // The sample sees a rare large number at every place it looks at, so that its bracket is wrong.
  "against the sample": (v) => v.map((x, i) => (i % sampleStride(N) === 0 ? 100 + x : x)),
};

test.each(Object.keys(SHAPES))("the k-th largest of a long vector is exact: %s", async (name) => {
  const values = SHAPES[name]!(normal(key(5), N));
  const x = float32([N], values);
  const sorted = [...x.data].sort((a, b) => b - a);
  const ks = [1, 2, 1000, Math.ceil(N / 2), N - 700, N];
  const program = await compile(Object.fromEntries(ks.map((k) => [`k${k}`, kthLargest(input("x", [N]), k)])));
  const found = await program.run({ x });
  await program.release();
  expect(ks.map((k) => scalarOf(found[`k${k}`]!))).toEqual(ks.map((k) => sorted[k - 1]));
});
