import type { Weights } from "../fl/index.ts";
import type { Model, TensorSpec } from "../nn/index.ts";
import { float32, numbers, sameShape, shapeText, type Tensors } from "../tensor/index.ts";
import { fail } from "../util/index.ts";

/**
 * A model's weights from the tensors of a file, by PyTorch's names; `file` is only named in errors.
 *
 * Any type of number is rounded to float32. `num_batches_tracked`, which PyTorch counts but nothing computes with, is
 * passed over. Throws FedleakError that tells all tensors that are missing, left over or of another shape.
 */
export function weightsFrom(tensors: Tensors, model: Model, file: string): Weights {
  const wanted = [...model.params, ...model.buffers];
  const names = new Set(wanted.map(({ name }) => name));
  const missing = wanted.filter(({ name }) => !Object.hasOwn(tensors, name)).map(({ name }) => name);
  const extra = Object.keys(tensors).filter((name) => !names.has(name) && !/(^|\.)num_batches_tracked$/.test(name));
  const misshapen = wanted
    .filter(({ name, shape }) => Object.hasOwn(tensors, name) && !sameShape(tensors[name]!.shape, shape))
    .map(({ name, shape }) => `${name} ${shapeText(tensors[name]!.shape)} instead of ${shapeText(shape)}`);
  const findings = [
    ["missing", missing],
    ["not of this model", extra],
    ["of another shape:", misshapen],
  ] as const;
  const told = findings.filter(([, found]) => found.length > 0).map(([what, found]) => `${what} ${some(found)}`);
  if (told.length > 0) {
    fail({
      who: `weights ${file}`,
      must: `the file must hold exactly the ${wanted.length} tensors of model ${model.name}`,
      got: told.join("; "),
      remedy: "Check --model, --width and --classes; names are PyTorch's (see torch's state_dict).",
    });
  }
  const values = (specs: readonly TensorSpec[]): Tensors<"float32"> =>
    Object.fromEntries(specs.map(({ name, shape }) => [name, float32(shape, numbers(tensors[name]!))]));
  const weights = { params: values(model.params), buffers: values(model.buffers) };
  checkFinite(weights, file);
  return weights;
}

const SHOWN = 4; // names told of each kind; our choice

function some(names: readonly string[]): string {
  const rest = names.length - SHOWN;
  return names.slice(0, SHOWN).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

function checkFinite({ params, buffers }: Weights, file: string): void {
  const wrong = Object.entries({ ...params, ...buffers }).find(([, t]) => !t.data.every(Number.isFinite));
  if (wrong) {
    fail({
      who: `weights ${file}`,
      must: "every number must be finite in float32",
      got: `NaN or infinity in ${wrong[0]}`,
      remedy: "Save the weights again, or use those of an earlier round.",
    });
  }
}
