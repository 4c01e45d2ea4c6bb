import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { verifyGoldenFile } from "../../src/audit/index.ts";
import { float32, numbers, readSafetensors, type Tensor, writeSafetensors } from "../../src/tensor/index.ts";
import { freshFolder } from "../cli/fedleak.ts";
import { requireShared } from "../shared.ts";

const filled = (was: Tensor, value: number) => float32(was.shape, new Float32Array(was.data.length).fill(value));

const DAMAGE: readonly [name: string, tensor: string, change: (was: Tensor) => Tensor, words: RegExp][] = [
  ["an empty number", "dist.dx", () => float32([0], []), /"dist\.dx" must have shape .*; got \[0\]/],
  [
    "another shape",
    "dummy.logits",
    (was) => float32([was.data.length], numbers(was)),
    /"dummy.logits" must have shape/,
  ],
  ["a label out of range", "y", (was) => filled(was, 1e6), /every label .* got 1000000/],
  ["a negative label", "y", (was) => filled(was, -1), /every label .* got -1/],
];

for (const [name, tensor, change, words] of DAMAGE) {
  test(`a golden file with ${name} is refused`, async (context) => {
    const golden = requireShared(context, "golden/lenet-sigmoid.safetensors");
    const { tensors, metadata } = readSafetensors(readFileSync(golden), golden);
    const path = join(freshFolder(), "golden.safetensors");
    writeFileSync(path, writeSafetensors({ ...tensors, [tensor]: change(tensors[tensor]!) }, metadata));
    await expect(verifyGoldenFile(path, { device: "cpu", threads: 1 })).rejects.toThrow(words);
  });
}
