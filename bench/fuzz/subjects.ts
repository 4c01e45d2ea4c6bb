import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { exportOnnx } from "../../src/onnx/index.ts";
import {
  float32,
  float64,
  int64,
  type Tensors,
  tensor,
  writeNpy,
  writeNpz,
  writeSafetensors,
} from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";

export const FORMATS = ["onnx", "npz", "safetensors"] as const;
export type Format = (typeof FORMATS)[number];

/** Sound files of each format, small ones, which are then damaged. */
export async function subjects(): Promise<Readonly<Record<Format, readonly Uint8Array[]>>> {
  return {
    onnx: NETWORKS.flatMap(([name, options]) => {
      const model = buildModel(name, { classes: 3, ...options });
      const weights = initialise(model, key(1));
      const files = [exportOnnx(model, weights), exportOnnx(model, weights, { opset: 20, batch: 2 })];
      return files.map((file) => new Uint8Array(file)); // protobuf gives a Buffer, whose slices share its bytes
    }),
    npz: [await writeNpz(TENSORS), await deflated(TENSORS), await writeNpz({ arr_0: float32([2], [1, 2]) })],
    safetensors: [writeSafetensors(TENSORS, { made: "here" }), writeSafetensors({ a: float32([2], [1, 2]) })],
  };
}

const NETWORKS: readonly (readonly [name: string, options: object])[] = [
  ["mlp3", { inputShape: [1, 2, 2], hidden: 3 }],
  ["lenet-sigmoid", { inputShape: [1, 4, 4] }],
  ["resnet10", { inputShape: [1, 8, 8], width: 1 }],
  ["vit-tiny", { inputShape: [1, 4, 4], patch: 2, width: 4, depth: 1, heads: 2, hidden: 4 }],
];

const TENSORS: Tensors = {
  "layer.weight": float32([4, 3, 2, 1], normal(key(2), 24)),
  "layer.bias": float64([4], normal(key(3), 4)),
  counter: int64([], [7]),
  none: tensor("int32", [0, 3], new Int32Array(0)),
  mask: tensor("bool", [5], Uint8Array.of(0, 1, 1, 0, 1)),
  bytes: tensor("uint8", [300], new Uint8Array(300).fill(9)),
};

/** As `numpy.savez_compressed` writes it. */
async function deflated(tensors: Tensors): Promise<Uint8Array> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false, level: 9 });
  for (const [name, t] of Object.entries(tensors)) await writer.add(`${name}.npy`, new Uint8ArrayReader(writeNpy(t)));
  return writer.close();
}
