import { readBytes } from "../data/index.ts";
import type { Mode, Model } from "../nn/index.ts";
import { importOnnx } from "../onnx/index.ts";
import { fail, unknownName } from "../util/index.ts";
import { sha256 } from "./fingerprint.ts";
import { isOnnxName } from "./onnx-name.ts";
import type { RunSpec } from "./spec.ts";
import { normalised } from "./verify-onnx.ts";

/** Whether a spec's model is an ONNX file of the user's own. */
export function isOwnModel({ name }: Pick<RunSpec["model"], "name">): boolean {
  return isOnnxName(name);
}

/** Whether the weights are drawn from the seed: not where a file of the model or of weights holds them. */
export function drawsWeights({ model }: Pick<RunSpec, "model">): boolean {
  return model.weights === null && !isOwnModel(model);
}

/**
 * The model in an ONNX file, its weights as initial values.
 *
 * options: `mean` and `std`, a number a channel, where the network was trained on (x − mean)/std; `sha256` of the file, which a run
 * stores so that it cannot be continued with another one. Throws FedleakError when the file is not read (with what to export
 * instead), has changed, or the options do not fit.
 */
export async function ownModel(
  { name: path, options }: RunSpec["model"],
  images: { readonly inputShape: readonly number[]; readonly mode: Mode },
): Promise<Model> {
  for (const key of Object.keys(options))
    if (!OPTIONS.includes(key)) unknownName(`model ${path}`, "option", key, OPTIONS);
  const bytes = await readBytes(path);
  const print = await sha256(bytes);
  if (options.sha256 !== undefined && options.sha256 !== print) {
    fail({
      who: `model ${path}`,
      must: "it must be the file that the run began with",
      got: "another one",
      remedy: "Restore it, or start the run again.",
    });
  }
  const inputShape = images.inputShape as [number, number, number];
  const { model } = importOnnx(bytes, { name: /[^/\\]*$/.exec(path)![0], mode: images.mode, inputShape });
  const { mean, std } = {
    mean: numbersIn(options.mean, 0, "mean", model),
    std: numbersIn(options.std, 1, "std", model),
  };
  if (options.classes !== undefined && options.classes !== model.classes) {
    fail({
      who: "--classes",
      must: `it must be that of the file, ${model.classes}`,
      got: JSON.stringify(options.classes),
      remedy: "Leave it away.",
    });
  }
  const told = { ...model.options, inputShape: [...model.inputShape], classes: model.classes };
  return { ...normalised(model, mean, std), options: { ...told, mean, std, sha256: print } };
}

const OPTIONS: readonly string[] = ["mean", "std", "sha256", "onnx", "inputShape", "classes"]; // the last three are told by the file

/** A number a channel; std above 0. */
function numbersIn(value: unknown, otherwise: number, name: "mean" | "std", { inputShape }: Model): readonly number[] {
  const channels = inputShape[0];
  if (value === undefined) return new Array<number>(channels).fill(otherwise);
  const list = Array.isArray(value) ? value.map(Number) : [];
  const sound = list.every((number) => Number.isFinite(number) && (name === "mean" || number > 0));
  if (list.length === channels && sound) return list;
  return fail({
    who: `--${name}`,
    must: `it must be ${channels} numbers${name === "std" ? " above 0" : ""}, one a channel`,
    got: JSON.stringify(value),
    remedy: "Pass what the network was trained with, as 0.49,0.48,0.45.",
  });
}
