import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { rowLayers } from "../../src/audit/captured/row-layers.ts";
import { checkFolder } from "../../src/audit/index.ts";
import { importOnnx } from "../../src/onnx/index.ts";
import { readSafetensors, type Tensors, writeSafetensors } from "../../src/tensor/index.ts";
import { requireShared } from "../shared.ts";
import { folderOf, THREADS } from "./captured-fixture.ts";

/** A captured update of a golden pair: the gradient that PyTorch computed, with the model it exported. */
function captured(onnx: string, golden: string, batchNorm: "train" | "eval", changed?: (weights: Tensors) => Tensors) {
  const { tensors, metadata } = readSafetensors(readFileSync(golden), golden);
  const gradients = Object.entries(tensors).filter(([name]) => name.startsWith("grad."));
  const manifest = {
    ...{ format: "fedleak-update", version: 1, sent: "gradient", model: { onnx: "model.onnx" }, batchNorm },
    batchSize: tensors.x!.shape[0],
    normalisation: { mean: JSON.parse(metadata.mean!), std: JSON.parse(metadata.std!) },
  };
  const { params, buffers } = importOnnx(readFileSync(onnx)).weights;
  return folderOf({
    "manifest.json": JSON.stringify(manifest),
    "model.onnx": readFileSync(onnx),
    "update.safetensors": writeSafetensors(Object.fromEntries(gradients.map(([name, t]) => [name.slice(5), t]))),
    ...(changed && { "before.safetensors": writeSafetensors(changed({ ...params, ...buffers })) }),
  });
}

describe("gradients that PyTorch computed", { timeout: 60_000 }, () => {
  for (const [name, mode, first] of [
    ["mlp3-eval", "eval", "net.2.weight"],
    ["resnet18-thin-train", "train", "layer1.0.conv2.weight"],
  ] as const) {
    test(`${name}: nothing is wrong, unless one layer's weights are others`, async (context) => {
      const [onnx, golden] = [".onnx", ".safetensors"].map((end) => requireShared(context, `onnx/${name}${end}`));
      const honest = await checkFolder(captured(onnx!, golden!, mode), THREADS);
      expect(honest.findings.filter(({ level }) => level === "broken")).toEqual([]);
      expect(honest.findings).toContainEqual(expect.objectContaining({ test: "symmetry", level: "passed" }));

      const other = (weights: Tensors): Tensors => ({
        ...weights,
        [first]: {
          ...weights[first]!,
          data: (weights[first]!.data as Float32Array).slice().reverse(),
        } as Tensors[string],
      });
      const swapped = await checkFolder(captured(onnx!, golden!, mode, other), THREADS);
      expect(swapped.findings).toContainEqual(expect.objectContaining({ test: "symmetry", level: "broken" }));
    });
  }

  test("of a ViT, only the head takes a row an image", (context) => {
    const file = requireShared(context, "onnx/vit-cifar10-eval.onnx");
    expect(rowLayers(importOnnx(readFileSync(file)).model)).toEqual(["mlp_head.1.weight"]);
  });
});
