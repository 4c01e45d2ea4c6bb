import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { conv, input, matmul, relu, reshape } from "../src/graph/index.ts";
import { profile } from "../src/runtime/index.ts";
import { float32 } from "../src/tensor/index.ts";

test("a profile names the graph's ops, their kernels and calls, and shares add up to 1", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fedleak-"));
  const x = input("x", [2, 3, 8, 8]);
  const w = input("w", [4, 3, 3, 3]);
  const h = relu(conv(relu(conv(x, w, { padding: 1 })), input("v", [4, 4, 3, 3]), { padding: 1 }));
  const y = matmul(reshape(h, [2, 256]), input("m", [256, 5]));
  const feeds = { x: filled(x.shape), w: filled(w.shape), v: filled([4, 4, 3, 3]), m: filled([256, 5]) };
  const { rows } = await profile({ y }, { threads: 1 }, { feeds, runs: 3, prefix: join(folder, "trace") });
  const table = rows(readFileSync(join(folder, readdirSync(folder)[0]!), "utf8"));
  rmSync(folder, { recursive: true });
  expect(table.find(({ op }) => op === "conv")).toMatchObject({ calls: 2 });
  expect(table.find(({ op }) => op === "matmul")).toMatchObject({ kernel: "MatMul", calls: 1 });
  expect(table.reduce((total, { share }) => total + share, 0)).toBeCloseTo(1, 12);
});

function filled(shape: readonly number[]) {
  return float32(shape, new Float32Array(shape.reduce((a, b) => a * b)).fill(0.1));
}
