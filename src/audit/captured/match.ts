import type { Model, TensorSpec } from "../../nn/index.ts";
import { float32, numbers, type Shape, sameShape, shapeText, type Tensor, type Tensors } from "../../tensor/index.ts";

/** How one tensor of a file came to one of the model. */
export interface TensorMatch {
  /** The model's name; null: no place was found. */
  readonly tensor: string | null;
  /** The file's name; null: the file lacks it. */
  readonly file: string | null;
  /** By name, by shape and order where names say nothing, by PyTorch's counter of batches, or not at all. */
  readonly how: "name" | "order" | "counter" | "missing" | "extra" | "shape";
  /** What is amiss, in words; empty when nothing is. */
  readonly about: string;
}

/** A file's tensors under the model's names. */
export interface Matched {
  readonly tensors: Tensors<"float32">;
  /** `num_batches_tracked` by its name: PyTorch counts the batches of BatchNorm. */
  readonly counters: Readonly<Record<string, number>>;
  readonly matches: readonly TensorMatch[];
}

/**
 * The tensors of a file as those of a model: by name, then by shape and order.
 *
 * Names match exactly, or after `module.`, `model.` or `_orig_mod.` in front is taken off on both sides, where
 * that leaves them unique. What is left of both sides is gone through in order: a file's tensor takes the next of the
 * model's that is of its shape, passing over none of another. A 2-axis head that lies turned, [D,N], is turned.
 * Numbers of any type are rounded to float32. `num_batches_tracked` and, among nameless arrays, whole-number scalars are
 * counters. Whatever finds no place is told; nothing is thrown.
 */
export function matchTensors(
  tensors: Tensors,
  model: Pick<Model, "params" | "buffers" | "head">,
  order: readonly TensorSpec[],
): Matched {
  const counters: Record<string, number> = {};
  const found: Record<string, Tensor<"float32">> = {};
  const matches: TensorMatch[] = [];
  const bare = new Map(order.map((spec) => [bareName(spec.name), spec]));
  const unnamed: [string, Tensor][] = [];
  for (const [file, t] of Object.entries(tensors)) {
    const spec = order.find(({ name }) => name === file) ?? bare.get(bareName(file));
    if (isCounter(file, t)) {
      counters[file] = Number(t.data[0]);
      matches.push({ tensor: null, file, how: "counter", about: "" });
    } else if (spec && !Object.hasOwn(found, spec.name)) take(spec, file, t, "name");
    else unnamed.push([file, t]);
  }
  const open = order.filter(({ name }) => !Object.hasOwn(found, name) && !matches.some((m) => m.tensor === name));
  for (const [file, t] of unnamed) {
    const spec = open[0];
    if (spec && fitted(t, spec, model.head.weight)) take(open.shift()!, file, t, "order");
    else matches.push({ tensor: null, file, how: "extra", about: `${shapeText(t.shape)} has no place in the model` });
  }
  for (const { name, shape } of open) {
    matches.push({ tensor: name, file: null, how: "missing", about: `${shapeText(shape)} is not in the file` });
  }
  return { tensors: inOrder(found, order), counters, matches };

  function take(spec: TensorSpec, file: string, t: Tensor, how: "name" | "order"): void {
    const fits = fitted(t, spec, model.head.weight);
    if (fits) found[spec.name] = fits;
    const about = fits ? "" : `${shapeText(t.shape)} instead of ${shapeText(spec.shape)}`;
    matches.push({ tensor: spec.name, file, how: fits ? how : "shape", about });
  }
}

/**
 * A model's tensors in the order in which PyTorch's state dict lists them: module by module, parameters before buffers.
 *
 * Modules come in the order of their first parameter. Source: torch.nn.Module.state_dict.
 */
export function stateOrder({ params, buffers }: Pick<Model, "params" | "buffers">): TensorSpec[] {
  const moduleOf = (name: string) => name.slice(0, Math.max(0, name.lastIndexOf(".")));
  const modules = [...new Set([...params, ...buffers].map(({ name }) => moduleOf(name)))];
  return modules.flatMap((module) => [
    ...params.filter(({ name }) => moduleOf(name) === module),
    ...buffers.filter(({ name }) => moduleOf(name) === module),
  ]);
}

/** A tensor in the shape that is wanted, as float32; undefined when it is of another. */
function fitted(t: Tensor, { name, shape }: TensorSpec, headWeight: string): Tensor<"float32"> | undefined {
  if (sameShape(t.shape, shape)) return float32(shape, numbers(t));
  const turned = name === headWeight && t.shape.length === 2 && sameShape([...t.shape].reverse(), shape);
  return turned ? float32(shape, transposed(numbers(t), t.shape)) : undefined;
}

function transposed(data: ArrayLike<number>, shape: Shape): Float32Array {
  const [rows, columns] = shape as [number, number];
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j]!;
  return out;
}

function isCounter(name: string, { dtype, shape }: Tensor): boolean {
  if (/(^|\.)num_batches_tracked$/.test(name)) return true;
  return /^arr_\d+$/.test(name) && shape.length === 0 && dtype === "int64";
}

function bareName(name: string): string {
  return name.replace(/^(?:(?:module|model|_orig_mod)\.)+/, "");
}

function inOrder(found: Readonly<Record<string, Tensor<"float32">>>, order: readonly TensorSpec[]): Tensors<"float32"> {
  return Object.fromEntries(order.flatMap(({ name }) => (found[name] ? [[name, found[name]]] : [])));
}
