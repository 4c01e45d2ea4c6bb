import { type FileOf, fileOf, ints, randomOf } from "./file-of.ts";

/** A small classifier with BatchNorm, as PyTorch exports one for training: [batch,3,8,8] → [batch,4]. */
export const CLASSIFIER: FileOf = {
  inputs: { x: ["batch", 3, 8, 8] },
  outputs: ["logits"],
  initializers: {
    "conv.weight": randomOf("w", [4, 3, 3, 3]),
    "bn.weight": randomOf("g", [4]),
    "bn.bias": randomOf("b", [4]),
    "bn.running_mean": randomOf("m", [4]),
    "bn.running_var": randomOf("v", [4], (v) => v * v + 0.1),
    "fc.weight": randomOf("f", [4, 16]),
    "fc.bias": randomOf("c", [4]),
    shape: ints(0, -1),
  },
  nodes: [
    { type: "Conv", inputs: ["x", "conv.weight"], outputs: ["c"], attributes: { pads: [1, 1, 1, 1], strides: [2, 2] } },
    {
      type: "BatchNormalization",
      inputs: ["c", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"],
      outputs: ["n"],
      attributes: { epsilon: { float: 1e-5 } },
    },
    { type: "Relu", inputs: ["n"], outputs: ["r"] },
    { type: "MaxPool", inputs: ["r"], outputs: ["p"], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
    { type: "Reshape", inputs: ["p", "shape"], outputs: ["flat"] },
    { type: "Gemm", inputs: ["flat", "fc.weight", "fc.bias"], outputs: ["logits"], attributes: { transB: 1 } },
  ],
};

export const classifierFile = (changes: Partial<FileOf> = {}): Uint8Array => fileOf({ ...CLASSIFIER, ...changes });
