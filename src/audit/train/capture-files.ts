import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { prefixed } from "../../fl/index.ts";
import { float32, int64, type Tensors, writeSafetensors } from "../../tensor/index.ts";
import { MANIFEST_FILE, UPDATE_FORMAT, UPDATE_VERSION, type UpdateManifestFile } from "../captured/manifest.ts";
import { writeError, writeWhole } from "../write-file.ts";
import type { Captured } from "./capture.ts";
import type { Training } from "./prepare.ts";

/** Where captured updates lie in a training's folder, and where what belongs to none but the client. */
export const CAPTURED = "captured";
export const TRUTH = "truth";

/**
 * Writes `captured/client-3-round-20/` with before.safetensors, update.safetensors and manifest.json, what the server has;
 * and, apart from it, `truth/client-3-round-20/truth.safetensors`.
 *
 * truth: images [M,C,H,W] the client trained on, labels [M], batches [S,B] of numbers into images, indices [M] into the
 * data, and own.* for what the client kept. Throws FedleakError when it cannot write.
 */
export async function writeCapture(folder: string, training: Training, captured: Captured): Promise<void> {
  const name = `client-${captured.client}-round-${captured.round}`;
  const [shown, hidden] = [join(folder, CAPTURED, name), join(folder, TRUTH, name)];
  for (const path of [join(folder, CAPTURED), join(folder, TRUTH), shown, hidden]) await makeFolder(path);
  await writeWhole(join(hidden, "truth.safetensors"), writeSafetensors(await truthOf(training, captured)));
  await writeWhole(join(shown, "before.safetensors"), writeSafetensors(captured.before));
  await writeWhole(join(shown, "update.safetensors"), writeSafetensors(captured.update));
  await writeWhole(join(shown, MANIFEST_FILE), `${JSON.stringify(manifestOf(training, captured), undefined, 2)}\n`);
}

function manifestOf({ spec, model, data }: Training, captured: Captured): UpdateManifestFile {
  const { sent, round, client, learningRate, localSteps, batchSize, images } = captured;
  const { momentum, weightDecay, clip } = spec.optimiser;
  return {
    ...{ format: UPDATE_FORMAT, version: UPDATE_VERSION, sent },
    model: { name: model.name, options: JSON.parse(JSON.stringify(model.options)) },
    ...{ round, client, learningRate, localSteps, batchSize, images },
    optimiser: { name: "sgd", momentum, weightDecay, clip },
    ...{ batchNorm: spec.batchNorm, bnBuffers: spec.federation.bnBuffers, classNames: [...data.classNames] },
  };
}

async function truthOf({ data }: Training, { batches, own }: Captured): Promise<Tensors> {
  const indices = [...new Set(batches.flat())];
  const at = new Map(indices.map((index, i) => [index, i]));
  const { images, labels } = await data.take(indices);
  return {
    images: float32(images.shape, images.data),
    labels: int64([labels.length], labels),
    indices: int64([indices.length], indices),
    batches: int64(
      [batches.length, batches[0]!.length],
      batches.flat().map((index) => at.get(index)!),
    ),
    ...prefixed("own.", own),
  };
}

/** Makes one folder for its owner alone, if it is not there. */
async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EEXIST") throw writeError(path, cause); // of an earlier try of the same round
  });
}
