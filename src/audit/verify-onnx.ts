import { constantOf, div, reshape, sub } from "../graph/index.ts";
import type { Mode, Model } from "../nn/index.ts";
import { EXPORT_FOR_CAPTURE, importOnnx } from "../onnx/index.ts";
import type { Tensors } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { type Evaluator, type GoldenErrors, modeOf, verifyModel } from "./verify-golden.ts";

/** How far an imported model's numbers are from the golden ones, and what the import had to say. */
export interface OnnxErrors extends GoldenErrors {
  readonly notes: readonly string[];
}

/**
 * Imports an ONNX file and compares one attack step of it with a golden file that was computed by its framework.
 *
 * The golden network is model((x − mean)/std), x in [0,1], with mean and std as the golden file's metadata say; its
 * gradients go by the names of the ONNX file's initializers.
 * Throws FedleakError when the ONNX file is not read, or when its parameters are not those of the golden file.
 */
export async function verifyOnnx(
  bytes: Uint8Array,
  tensors: Tensors,
  metadata: Readonly<Record<string, string>>,
  evaluator: Evaluator,
): Promise<OnnxErrors> {
  const name = metadata.model ?? "model";
  const { model, weights, notes, fromFile } = importOnnx(bytes, { name, mode: modeOf(metadata) });
  const golden = { ...tensors, ...gradientsAsImported(model, tensors, fromFile) };
  const supplied = [...prefixed("param.", weights.params), ...prefixed("buffer.", weights.buffers)];
  const scaled = normalised(model, listOf(metadata, "mean", 0, model), listOf(metadata, "std", 1, model));
  const mode: Mode = modeOf(metadata);
  const errors = await verifyModel(scaled, name, mode, { ...golden, ...Object.fromEntries(supplied) }, evaluator);
  return { ...errors, notes };
}

const PREFIXES = ["grad.", "dummy.grad."] as const;

/** The golden gradients under the model's names and in its shapes. */
function gradientsAsImported(model: Model, tensors: Tensors, fromFile: (tensors: Tensors) => Tensors): Tensors {
  const parts = PREFIXES.map((prefix) => {
    const own = Object.entries(tensors).filter(([key]) => key.startsWith(prefix));
    const named = Object.fromEntries(own.map(([key, tensor]) => [key.slice(prefix.length), tensor]));
    if (prefix === "grad.") needSameNames(model, Object.keys(named));
    return Object.fromEntries(prefixed(prefix, fromFile(named)));
  });
  return Object.assign({}, ...parts);
}

function needSameNames(model: Model, golden: readonly string[]): void {
  const ours = model.params.map(({ name }) => name);
  const missing = golden.filter((name) => !ours.includes(name));
  const extra = ours.filter((name) => !golden.includes(name));
  if (missing.length + extra.length === 0) return;
  const some = (names: readonly string[]) =>
    `${names.length} (${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""})`;
  fail({
    who: `onnx ${model.name}`,
    must: "its parameters must have the names of the golden gradients",
    got: [missing.length > 0 && `without ${some(missing)}`, extra.length > 0 && `with ${some(extra)}`]
      .filter(Boolean)
      .join(", "),
    remedy: EXPORT_FOR_CAPTURE,
  });
}

/** The model of (x − mean)/std. */
export function normalised(model: Model, mean: readonly number[], std: readonly number[]): Model {
  const perChannel = (values: readonly number[]) =>
    reshape(constantOf([values.length], values), [1, values.length, 1, 1]);
  const plain = mean.every((v) => v === 0) && std.every((v) => v === 1);
  if (plain) return model;
  const scaled = (x: Parameters<Model["forward"]>[0]["x"]) => div(sub(x, perChannel(mean)), perChannel(std));
  return { ...model, forward: ({ x, ...rest }) => model.forward({ ...rest, x: scaled(x) }) };
}

/** A number for each channel, from the metadata's JSON. */
function listOf(
  metadata: Readonly<Record<string, string>>,
  key: string,
  otherwise: number,
  model: Model,
): readonly number[] {
  const text = metadata[key];
  if (text === undefined) return new Array<number>(model.inputShape[0]).fill(otherwise);
  const list = text
    .replace(/[[\]\s]/g, "")
    .split(",")
    .map(Number);
  if (list.length === model.inputShape[0] && list.every(Number.isFinite)) return list;
  return fail({
    who: "verify",
    must: `the golden file's ${key} must be ${model.inputShape[0]} numbers, one a channel`,
    got: text,
    remedy: "Write the file again.",
  });
}

function prefixed(prefix: string, tensors: Tensors): [string, Tensors[string]][] {
  return Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]);
}
