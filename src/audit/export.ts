import { readBytes } from "../data/index.ts";
import type { Weights } from "../fl/index.ts";
import { buildModel } from "../models/index.ts";
import { countElements, initialise, type Model } from "../nn/index.ts";
import { type ExportOptions, exportOnnx, importOnnx } from "../onnx/index.ts";
import { type Tensors, writeNpz, writeSafetensors } from "../tensor/index.ts";
import { fail, key, split } from "../util/index.ts";
import { isOnnxName } from "./onnx-name.ts";
import { openWeights } from "./open-weights.ts";
import { isTraining, readTrainRecord, WEIGHTS_FILE } from "./train/files.ts";
import { writeWhole } from "./write-file.ts";

export interface ExportRequest {
  /** A model's name, the folder of a training, or an ONNX file. */
  readonly subject: string;
  /** The file to write; its ending says in which form. */
  readonly out: string;
  /** Of a model that goes by its name: its options, and `size` and `channels` of the images. */
  readonly options: Readonly<Record<string, unknown>>;
  /** As `openWeights` takes them; undefined: the subject's own, else drawn from the seed as an attack of that seed draws. */
  readonly weights: string | undefined;
  readonly seed: number;
  /** Of an ONNX file. */
  readonly onnx: ExportOptions;
}

/** What was written. */
export interface Exported {
  readonly out: string;
  readonly format: ExportFormat;
  readonly sizeBytes: number;
  readonly model: string;
  /** Numbers that are trained. */
  readonly parameters: number;
  readonly tensors: number;
  /** [C,H,W] */
  readonly inputShape: readonly number[];
  readonly classes: number;
  /** Where the weights come from, in words. */
  readonly weights: string;
}

/** What files can be written, by their ending. */
export const EXPORT_FORMATS = {
  onnx: "the network with its weights: any runtime of ONNX, any audit of an ONNX model",
  safetensors: "the weights alone, with PyTorch's names",
  npz: "the weights alone, for NumPy",
} as const;

export type ExportFormat = keyof typeof EXPORT_FORMATS;

/**
 * Writes a model with its weights, or its weights alone, to a file that other programs load.
 *
 * Throws FedleakError when the subject or its weights do not exist or do not fit, the ending is not known, or nothing can
 * be written there.
 */
export async function exportModel(request: ExportRequest): Promise<Exported> {
  const { out, onnx } = request;
  const format = formatOf(out);
  if (format !== "onnx" && (onnx.batch !== undefined || onnx.opset !== undefined)) {
    const got = `--out ${out} with a batch size or an opset`;
    fail({ who: "export", must: "weights alone have neither batch size nor opset", got, remedy: "Leave them away." });
  }
  const { model, weights, about } = await subjectOf(request);
  const all: Tensors = { ...weights.params, ...weights.buffers };
  const bytes = await written(format, model, weights, onnx);
  await writeWhole(out, bytes);
  return {
    ...{ out, format, sizeBytes: bytes.length, model: model.name, weights: about },
    ...{ parameters: countElements(model.params), tensors: Object.keys(all).length },
    ...{ inputShape: model.inputShape, classes: model.classes },
  };
}

function formatOf(out: string): ExportFormat {
  const ending = /\.(\w+)$/.exec(out)?.[1] ?? "";
  if (Object.hasOwn(EXPORT_FORMATS, ending)) return ending as ExportFormat;
  const endings = Object.keys(EXPORT_FORMATS).map((name) => `.${name}`);
  return fail({
    who: "export --out",
    must: `the file must end in ${endings.join(", ")}: that says in which form it is written`,
    got: out,
    remedy: "Rename it.",
  });
}

async function written(format: ExportFormat, model: Model, weights: Weights, onnx: ExportOptions): Promise<Uint8Array> {
  if (format === "onnx") return exportOnnx(model, weights, onnx);
  const all = { ...weights.params, ...weights.buffers };
  return format === "npz" ? writeNpz(all) : writeSafetensors(all, { model: model.name });
}

const [CHANNELS, SIZE, CLASSES] = [3, 32, 10]; // our choice: CIFAR-10's

interface Subject {
  readonly model: Model;
  readonly weights: Weights;
  readonly about: string;
}

async function subjectOf(request: ExportRequest): Promise<Subject> {
  const { subject, options, weights, seed } = request;
  const drawn = split(key(seed), "weights");
  const opened = async (model: Model, place: string): Promise<Subject> => {
    const { source, notes, ...found } = await openWeights(place, model, drawn);
    return { model, weights: found.weights, about: [source, ...notes].join("; ") };
  };
  const own = isOnnxName(subject) ? "an ONNX file" : (await isTraining(subject)) ? "a training" : undefined;
  if (own !== undefined && Object.keys(options).length > 0) {
    const must = `${own} says what its model is`;
    fail({ who: `export ${subject}`, must, got: `--${Object.keys(options)[0]}`, remedy: "Leave it away." });
  }
  if (own === "an ONNX file") {
    const imported = importOnnx(await readBytes(subject), { name: subject });
    return weights === undefined
      ? { model: imported.model, weights: imported.weights, about: `from ${subject}` }
      : opened(imported.model, weights);
  }
  if (own === "a training") {
    const { spec } = await readTrainRecord(subject);
    const { name, options: built } = spec.model as { readonly name: string; readonly options: Record<string, unknown> };
    return opened(buildModel(name, built), weights ?? `${subject}/${WEIGHTS_FILE}`);
  }
  const { size = SIZE, channels = CHANNELS, ...rest } = options;
  const model = buildModel(subject, { inputShape: [channels, size, size], classes: CLASSES, ...rest });
  if (weights !== undefined) return opened(model, weights);
  return { model, weights: initialise(model, drawn), about: `drawn from seed ${seed}` };
}
