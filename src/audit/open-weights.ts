import { readBytes } from "../data/index.ts";
import type { Weights } from "../fl/index.ts";
import type { Model } from "../nn/index.ts";
import { importOnnx } from "../onnx/index.ts";
import { readNpz, readSafetensors, type Tensors } from "../tensor/index.ts";
import type { Key } from "../util/index.ts";
import { sha256 } from "./fingerprint.ts";
import { isHubPlace } from "./hub.ts";
import { readHubFile } from "./hub-cache.ts";
import { isOnnxName } from "./onnx-name.ts";
import { fittedWeights } from "./weights.ts";

/** Weights of a file, and where they come from, in words. */
export interface OpenedWeights {
  readonly weights: Weights;
  readonly source: string;
  /** What was renamed or replaced, a phrase each. */
  readonly notes: readonly string[];
}

/**
 * Reads a model's weights from a safetensors, npz or ONNX file, or from `hub:<owner>/<name>[@<revision>]/<file>`.
 *
 * A last layer of another number of classes is replaced by one that is drawn from `headKey`. A file of the hub is told
 * with its SHA-256. Throws FedleakError when the file does not exist, is not
 * what its ending says, or does not fit the model.
 */
export async function openWeights(
  place: string,
  model: Model,
  headKey: Key,
  readHub: (place: string) => Promise<Uint8Array> = readHubFile,
): Promise<OpenedWeights> {
  const hub = isHubPlace(place);
  const bytes = hub ? await readHub(place) : await readBytes(place);
  const { weights, notes } = fittedWeights(await tensorsOf(bytes, place), model, place, headKey);
  const source = hub ? `from ${place} (sha256 ${await sha256(bytes)})` : `from ${place}`;
  return { weights, source, notes };
}

/** The tensors of a file of weights, by its ending: npz, onnx, else safetensors. */
export async function tensorsOf(bytes: Uint8Array, place: string): Promise<Tensors> {
  if (place.endsWith(".npz")) return readNpz(bytes, place);
  if (!isOnnxName(place)) return readSafetensors(bytes, place).tensors;
  const { params, buffers } = importOnnx(bytes, { name: place }).weights;
  return { ...params, ...buffers };
}
