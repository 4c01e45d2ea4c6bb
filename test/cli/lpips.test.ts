import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { squeezenet } from "../../src/metrics/lpips/backbones.ts";
import { writeSafetensors } from "../../src/tensor/index.ts";
import { madeUpWeights } from "../metrics/lpips/weights-of.ts";
import { fedleak, freshFolder } from "./fedleak.ts";

const ATTACK = [
  ...["attack", "--attack", "inverting-gradients", "--model", "lenet-sigmoid", "--size", "20", "--batch", "2"],
  ...["--iterations", "2", "--grant", "labels", "--threads", "1", "--json"],
];

test("--lpips FILES measures it and says with what; a wrong file stops before anything is made", async () => {
  const folder = freshFolder();
  const tensors = Object.entries(madeUpWeights(squeezenet, 1));
  const part = (name: string, prefix: string) => {
    const path = join(folder, name);
    writeFileSync(path, writeSafetensors(Object.fromEntries(tensors.filter(([tensor]) => tensor.startsWith(prefix)))));
    return path;
  };
  const [backbone, linear] = [part("backbone.safetensors", "features"), part("linear.safetensors", "lin")];
  const { status, stdout } = await fedleak(
    [...ATTACK, "--lpips", backbone, "linear.safetensors", "--out", "run"],
    folder,
  );
  expect(status).toBe(0);
  const told = JSON.parse(stdout);
  expect(told.lpips.mean.oneToOne).toBeGreaterThan(0);
  expect(told.lpips.floors.flatGrey).toBeGreaterThan(0);
  expect(told.assumptions.lpips).toMatch(
    /^squeezenet, from .*backbone\.safetensors \(sha256 [0-9a-f]{64}\) and .*linear/,
  );
  expect(told.identification.by[0].measure).toBe("lpips");
  const { spec } = JSON.parse(readFileSync(join(folder, "run/record.json"), "utf8"));
  expect(spec.measure.lpips).toEqual([backbone, linear]); // absolute, so that resume finds them from anywhere

  const wrong = await fedleak([...ATTACK, "--lpips", backbone, "--out", "other"], folder);
  expect([wrong.status, JSON.parse(wrong.stdout).message]).toEqual([
    2,
    expect.stringContaining("missing lin0.model.1.weight"),
  ]);
});
