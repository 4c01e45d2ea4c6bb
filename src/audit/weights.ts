import type { Weights } from "../fl/index.ts";
import { initialise, type Model, type TensorSpec } from "../nn/index.ts";
import { float32, numbers, type Shape, sameShape, shapeText, type Tensor, type Tensors } from "../tensor/index.ts";
import { fail, type Key } from "../util/index.ts";
import { renamedFor } from "./weight-names.ts";

/** Weights, and what had to be done so that they fit: one phrase each. */
export interface Fitted {
  readonly weights: Weights;
  readonly notes: readonly string[];
}

/**
 * A model's weights from the tensors of a file; `file` is only named in errors.
 *
 * Names are the model's own (PyTorch's), or others that are known (`weight-names.ts`). Where the file's last layer tells
 * another number of classes apart, the model's own is drawn from `headKey` instead, as in a model that is drawn as a whole.
 * Any type of number is rounded to float32. `num_batches_tracked`, which PyTorch counts but nothing computes with, is
 * passed over. Throws FedleakError that tells all tensors that are missing, left over or of another shape.
 */
export function fittedWeights(given: Tensors, model: Model, file: string, headKey?: Key): Fitted {
  const { tensors: named, renamed } = renamedFor(withoutCounters(given), model);
  const old = headKey ? otherHead(named, model) : undefined;
  const fresh = old && headKey ? pick(initialise(model, headKey).params, old.names) : {};
  const weights = exactly({ ...named, ...fresh }, model, file);
  const [first] = renamed;
  const notes = [
    ...(first ? [`${renamed.length} of its tensors go by other names here (${first[0]}: ${first[1]})`] : []),
    ...(old ? [`its head of ${old.classes} classes replaced by one of ${model.classes}, drawn from the seed`] : []),
  ];
  return { weights, notes };
}

/** As `fittedWeights`, for a file that has the model's own number of classes. */
export function weightsFrom(tensors: Tensors, model: Model, file: string): Weights {
  return fittedWeights(tensors, model, file).weights;
}

function withoutCounters(tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => !/(^|\.)num_batches_tracked$/.test(name)));
}

function pick<T>(tensors: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, tensors[name]!]));
}

/** The names of a head that is whole but for its number of classes, and that number. */
function otherHead(
  tensors: Tensors,
  { params, head, classes }: Model,
): { readonly names: readonly string[]; readonly classes: number } | undefined {
  const names = [head.weight, ...(head.bias === undefined ? [] : [head.bias])];
  const found = names.map((name): Tensor | undefined => (Object.hasOwn(tensors, name) ? tensors[name] : undefined));
  const others = found[0]?.shape[0];
  if (others === undefined || others === classes) return undefined;
  const fits = names.every((name, i) => {
    const { shape } = params.find((spec) => spec.name === name)!;
    return found[i] && sameShape(found[i].shape, [others, ...shape.slice(1)]);
  });
  return fits ? { names, classes: others } : undefined;
}

/** The tensors that a model needs, no more and no less. */
function exactly(tensors: Tensors, model: Model, file: string): Weights {
  const wanted = [...model.params, ...model.buffers];
  const names = new Set(wanted.map(({ name }) => name));
  const missing = wanted.filter(({ name }) => !Object.hasOwn(tensors, name)).map(({ name }) => name);
  const extra = Object.keys(tensors).filter((name) => !names.has(name));
  const misshapen = wanted
    .filter(({ name, shape }) => Object.hasOwn(tensors, name) && !sameShape(tensors[name]!.shape, shape))
    .map(({ name, shape }) => told(name, tensors[name]!.shape, shape));
  const findings = [
    ["missing", missing],
    ["not of this model", extra],
    ["of another shape:", misshapen],
  ] as const;
  const amiss = findings.filter(([, found]) => found.length > 0).map(([what, found]) => `${what} ${some(found)}`);
  if (amiss.length > 0) {
    fail({
      who: `weights ${file}`,
      must: `the file must hold exactly the ${wanted.length} tensors of model ${model.name}`,
      got: amiss.join("; "),
      remedy: "Check --model, --width and --size; names are PyTorch's (see torch's state_dict) or timm's.",
    });
  }
  const values = (specs: readonly TensorSpec[]): Tensors<"float32"> =>
    Object.fromEntries(specs.map(({ name, shape }) => [name, float32(shape, numbers(tensors[name]!))]));
  const weights = { params: values(model.params), buffers: values(model.buffers) };
  checkFinite(weights, file);
  return weights;
}

function told(name: string, is: Shape, wanted: Shape): string {
  return `${name} ${shapeText(is)} instead of ${shapeText(wanted)}`;
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
