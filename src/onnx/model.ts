import { describe, input, type Node, reshape, swapLast } from "../graph/index.ts";
import { type Forward, type ForwardArgs, inputsFor, type Mode, type Model } from "../nn/index.ts";
import { type Shape, sameShape, shapeText, sizeOf, type Tensors } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { activationNames, nodesOf } from "./activations.ts";
import { build } from "./build.ts";
import { type FileNode, readFile } from "./file.ts";
import { imageInput, type Layout } from "./input.ts";
import { notesOf } from "./notes.ts";
import { chooseOutput } from "./output.ts";
import { rolesOf } from "./roles.ts";
import { fromFile, type Stored, storedOf } from "./stored.ts";
import type { Value } from "./value.ts";

export interface ImportOptions {
  /** How errors and reports call the model; "model" when not given. */
  readonly name?: string;
  /** Overrules the BatchNorm mode that the file was exported in. */
  readonly mode?: Mode;
  /** The output that holds logits or probabilities; found when not given. */
  readonly output?: string;
  /** [C,H,W], where the file leaves extents open. */
  readonly inputShape?: readonly [number, number, number];
  readonly layout?: Layout;
  /** Tensors that the client does not train, by the file's names. */
  readonly frozen?: readonly string[];
}

/** A classifier of the user's own, as this program's attacks see it, with the numbers of its file. */
export interface OnnxModel {
  readonly model: Model;
  readonly weights: { readonly params: Tensors<"float32">; readonly buffers: Tensors<"float32"> };
  /** How BatchNorm normalises: as the file was exported, unless told. */
  readonly mode: Mode;
  readonly opset: number;
  readonly producer: string;
  /** What the user should know: lost names, fixed batches, dropout. One sentence each, with its remedy. */
  readonly notes: readonly string[];
  /** Tensors that go by the file's names and shapes (a captured update) as the model's parameters; others are left out. */
  fromFile(tensors: Tensors): Tensors<"float32">;
}

/**
 * Reads an ONNX file of a classifier into a `Model`.
 *
 * x [B,C,H,W] in whatever range the file wants → logits [B,N], before a Softmax if the file has one. Initializers become
 * parameters under their own names, running statistics buffers; any batch size can be built. head: the last linear
 * layer, its weight turned to [N,D].
 * Throws FedleakError for bytes that are no such file, an operator that is not read (named, with what to export instead),
 * an opset outside 11 … 22, or an output that comes from no linear layer.
 */
export function importOnnx(bytes: Uint8Array, options: ImportOptions = {}): OnnxModel {
  const { name = "model", frozen = [] } = options;
  const { file, head } = chooseOutput(readFile(bytes, name), options.output);
  const images = imageInput(file, options);
  const roles = rolesOf(file, images.name, frozen);
  const stored = storedOf(roles, head);
  const weight = stored.params.get(head.weight);
  if (weight?.shape.length !== 2) {
    return fail({
      who: `onnx ${name}`,
      must: "the last layer must have a trained weight of 2 axes",
      got: weight ? shapeText(weight.shape) : `"${head.weight}", which is fixed`,
      remedy: "Do not freeze it, or export the classifier as one linear layer.",
    });
  }
  const [classes, width] = weight.shape as [number, number];
  const activations = activationNames(file.nodes);

  const forward = ({ params, buffers, x, mode }: ForwardArgs): Forward => {
    needImages(name, images.imageShape, x);
    const batch = { size: x.shape[0]!, exported: images.exportedBatch };
    const { values, statistics } = build(file, roles, {
      input: { name: images.name, node: images.fromImages(x) },
      params: asStored(name, params, stored),
      buffers,
      mode,
      batch,
    });
    const take = (value: string, columns: number) => matrix(name, values, value, [batch.size, columns]);
    return {
      logits: take(head.logits, classes),
      features: images.name === head.features ? reshape(x, [batch.size, -1]) : take(head.features, width),
      activations: nodesOf(activations, values),
      statistics,
    };
  };

  const model: Model = {
    name,
    options: { onnx: name },
    inputShape: images.imageShape,
    classes,
    params: [...stored.params].map(([key, tensor]) => ({ name: key, shape: tensor.shape, init: () => tensor })),
    buffers: [...roles.buffers].map(([key, tensor]) => ({ name: key, shape: tensor.shape, init: () => tensor })),
    head: {
      weight: head.weight,
      ...(head.bias !== undefined && roles.params.has(head.bias) ? { bias: head.bias } : {}),
    },
    forward,
  };
  const mode = options.mode ?? exportedMode(file.nodes);
  forward({
    // says now what it would say later
    params: inputsFor(model.params, ""),
    buffers: inputsFor(model.buffers, ""),
    x: input("~images", [TRIAL_BATCH, ...images.imageShape]),
    mode,
  });
  const weights = { params: Object.fromEntries(stored.params), buffers: Object.fromEntries(roles.buffers) };
  const { opset, producer } = file;
  const notes = notesOf(file, roles, head, mode, images.exportedBatch);
  return { model, weights, mode, opset, producer, notes, fromFile: (tensors) => fromFile(tensors, stored, roles) };
}

const TRIAL_BATCH = 2; // BatchNorm in train mode needs two values

/** The mode in which the file's BatchNorm normalises; eval where there is none. */
function exportedMode(nodes: readonly FileNode[]): Mode {
  const norms = nodes.filter(({ type }) => type === "BatchNormalization");
  const trains = ({ attributes, outputs }: (typeof norms)[number]) =>
    attributes.int("training_mode") === 1 || outputs.filter((name) => name !== "").length > 3;
  return norms.some(trains) ? "train" : "eval";
}

/** The parameters in the file's shapes. */
function asStored(name: string, params: Readonly<Record<string, Node>>, stored: Stored): Map<string, Node> {
  return new Map(
    [...stored.params].map(([key, { shape }]) => {
      const node = Object.hasOwn(params, key) ? params[key] : undefined;
      if (!node || !sameShape(node.shape, shape)) {
        return fail({
          who: `model ${name}`,
          must: `params must hold "${key}" of shape ${shapeText(shape)}`,
          got: node ? describe(node) : "nothing",
          remedy: "Pass the tensors of this model.",
        });
      }
      if (key !== stored.head.name) return [key, node];
      return [key, stored.head.form === "columns" ? swapLast(node) : reshape(node, stored.head.shape)];
    }),
  );
}

/** A value as a matrix: pooled features may still have their two axes of one pixel. */
function matrix(name: string, values: ReadonlyMap<string, Value>, value: string, shape: Shape): Node {
  const node = values.get(value)?.node;
  if (node && node.shape[0] === shape[0] && sizeOf(node.shape) === sizeOf(shape)) return reshape(node, shape);
  return fail({
    who: `onnx ${name}`,
    must: `"${value}" must hold ${shapeText(shape)}, a row an image`,
    got: node ? describe(node) : "nothing",
    remedy: "Export a classifier that gives one row of logits an image.",
  });
}

function needImages(name: string, imageShape: Shape, x: Node): void {
  if (x.shape.length === 4 && sameShape(x.shape.slice(1), imageShape)) return;
  fail({
    who: `model ${name}`,
    must: `x must be [B,${imageShape.join(",")}]`,
    got: describe(x),
    remedy: "Resize the images, or export the model for their size.",
  });
}
