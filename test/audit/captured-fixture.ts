import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { UpdateManifestFile } from "../../src/audit/index.ts";
import { beginTraining, clientGradientStep, trainingStep, type Weights } from "../../src/fl/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise, type Model } from "../../src/nn/index.ts";
import { importOnnx } from "../../src/onnx/index.ts";
import { sgd } from "../../src/optim/index.ts";
import { float32, type Tensors, writeSafetensors } from "../../src/tensor/index.ts";
import { key, split, uniform } from "../../src/util/index.ts";

export const THREADS = { device: "cpu", threads: 1 } as const;

/** A captured update and how it came about. */
export interface Made {
  readonly model: Model;
  readonly weights: Weights;
  readonly labels: readonly number[];
  readonly images: ReturnType<typeof float32>;
  readonly update: Tensors<"float32">;
  readonly before: Tensors<"float32">;
  readonly manifest: UpdateManifestFile;
  readonly onnx?: Uint8Array;
}

export interface Asked {
  readonly name?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly batchSize?: number;
  readonly sent?: "gradient" | "weights" | "delta";
  readonly localSteps?: number;
  readonly learningRate?: number;
  readonly weightDecay?: number;
  readonly momentum?: number;
  readonly seed?: number;
  readonly weights?: Weights;
  /** The bytes of an ONNX file in place of `name` and `options`; its BatchNorm is in train mode. */
  readonly onnx?: Uint8Array;
}

const ONNX_FILE = "model.onnx";
const SMALL = { inputShape: [1, 6, 6], classes: 5 };

/** One client's update on random images with labels 0, 1, … of a small model. */
export async function make(asked: Asked = {}): Promise<Made> {
  const { name = "mlp3", batchSize = 2, sent = "gradient", localSteps = 1, learningRate = 0.05, seed = 1 } = asked;
  const options = { ...SMALL, ...(name === "mlp3" && { hidden: 12 }), ...asked.options };
  const imported = asked.onnx && importOnnx(asked.onnx, { name: ONNX_FILE, mode: "train" });
  const model = imported?.model ?? buildModel(name, options);
  const weights = asked.weights ?? imported?.weights ?? initialise(model, key(seed));
  const shape = [batchSize, ...model.inputShape];
  const size = shape.reduce((a, b) => a * b, 1);
  const images = float32(shape, uniform(split(key(seed), "images"), size));
  const labels = Array.from({ length: batchSize }, (_, i) => i % model.classes);
  const { weightDecay = 0, momentum = 0 } = asked;
  const manifest: UpdateManifestFile = {
    ...{
      format: "fedleak-update",
      version: 1,
      sent,
      learningRate,
      localSteps,
      batchSize,
      images: batchSize * localSteps,
    },
    model: imported ? { onnx: ONNX_FILE } : { name, options: JSON.parse(JSON.stringify(model.options)) },
    optimiser: { momentum, weightDecay },
  };
  const before = { ...weights.params, ...weights.buffers };
  const common = { model, weights, labels, images, before, manifest, ...(asked.onnx && { onnx: asked.onnx }) };
  if (sent === "gradient") {
    const step = await clientGradientStep({ model, weights, images, labels, mode: "train", ...THREADS });
    return { ...common, update: { ...step.update, ...step.buffers } };
  }
  const optimiser = sgd({ weightDecay, momentum });
  const program = await trainingStep({ model, batchSize, mode: "train", optimiser, ...THREADS });
  let state = beginTraining(model, optimiser, weights);
  for (let step = 0; step < localSteps; step++) {
    const own = step === 0 ? images : float32(shape, uniform(split(key(seed), `images ${step}`), size));
    state = (await program.advance(state, { images: own, labels }, learningRate)).state;
  }
  await program.release();
  const after = { ...state.weights.params, ...state.weights.buffers };
  const delta = Object.fromEntries(
    Object.entries(after).map(([key, t]) => [key, { ...t, data: t.data.map((v, i) => v - before[key]!.data[i]!) }]),
  );
  return { ...common, update: sent === "delta" ? delta : after };
}

/** A folder with these files; bytes, or text for the manifest. */
export function folderOf(files: Readonly<Record<string, Uint8Array | string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "fedleak-captured-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

/** The folder of a captured update, with changes to the manifest. */
export function write(made: Pick<Made, "before" | "update" | "manifest" | "onnx">, changes: object = {}): string {
  const { before, update, manifest, onnx } = made;
  return folderOf({
    "manifest.json": JSON.stringify({ ...manifest, ...changes }),
    "before.safetensors": writeSafetensors(before),
    "update.safetensors": writeSafetensors(update),
    ...(onnx && { [ONNX_FILE]: onnx }),
  });
}
