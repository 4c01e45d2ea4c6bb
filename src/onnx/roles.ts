import { float32, numbers, type Tensor } from "../tensor/index.ts";
import type { FileNode, OnnxFile } from "./file.ts";

/** What the tensors of a file are for. Numbers of a file that are neither trained nor kept by BatchNorm are fixed. */
export interface Roles {
  /** By the file's names, in the order in which the nodes use them. */
  readonly params: ReadonlyMap<string, Tensor<"float32">>;
  /** By module and PyTorch's name: `bn1.running_mean`. */
  readonly buffers: ReadonlyMap<string, Tensor<"float32">>;
  readonly fixed: ReadonlyMap<string, Tensor>;
  /** The module name of each BatchNormalization. */
  readonly modules: ReadonlyMap<FileNode, string>;
  /** For each buffer, the file's name of its tensor. */
  readonly bufferNames: ReadonlyMap<string, string>;
}

/**
 * Sorts initializers into what is trained, what BatchNorm keeps, and what is fixed.
 *
 * Trained: a tensor that a layer takes as weight or bias, and any other float tensor of more than one element that enters
 * the computation. Fixed: limits, shapes and single numbers, what scales the images before the first layer, and those in
 * `frozen`. Constants of nodes are trained where a layer takes them as weight.
 */
export function rolesOf(file: OnnxFile, input: string, frozen: readonly string[]): Roles {
  const modules = modulesOf(file.nodes);
  const tensors = new Map([...file.initializers, ...constantsOf(file.nodes)]);
  const scaling = scalingNames(file, input);
  const [params, fixed] = [new Map<string, Tensor<"float32">>(), new Map(file.initializers)];
  for (const node of file.nodes) {
    for (const [slot, name] of node.inputs.entries()) {
      const tensor = tensors.get(name);
      if (tensor?.dtype !== "float32" || (node.type === NORM && slot >= 3)) continue;
      const weight = WEIGHTS.get(node.type)?.includes(slot) ?? false;
      const free = file.initializers.has(name) && tensor.data.length > 1 && !isSetting(node.type, slot);
      if ((weight || free) && !scaling.has(name) && !frozen.includes(name))
        params.set(name, tensor as Tensor<"float32">);
    }
  }
  for (const name of params.keys()) fixed.delete(name);
  const [buffers, bufferNames] = [new Map<string, Tensor<"float32">>(), new Map<string, string>()];
  for (const [node, module] of modules) {
    for (const [slot, name] of [
      [3, "running_mean"],
      [4, "running_var"],
    ] as const) {
      const tensor = tensors.get(node.inputs[slot] ?? "");
      if (!tensor) continue;
      buffers.set(`${module}.${name}`, float32(tensor.shape, numbers(tensor)));
      bufferNames.set(`${module}.${name}`, node.inputs[slot]!);
    }
  }
  return { params, buffers, fixed, modules, bufferNames };
}

const NORM = "BatchNormalization";

/** The inputs that are weights, by operator. */
const WEIGHTS: ReadonlyMap<string, readonly number[]> = new Map([
  ["Conv", [1, 2]],
  ["ConvTranspose", [1, 2]],
  ["Gemm", [1, 2]],
  ["MatMul", [0, 1]],
  ["PRelu", [1]],
  [NORM, [1, 2]],
  ["InstanceNormalization", [1, 2]],
  ["LayerNormalization", [1, 2]],
  ["GroupNormalization", [1, 2]],
]);

/** Operators all of whose inputs after the first one say how to compute. */
const SET_BY_REST = new Set([
  "Clip",
  "Pad",
  "Resize",
  "Upsample",
  "Pow",
  "Dropout",
  "Slice",
  "Reshape",
  "Expand",
  "Tile",
]);
const COMPARISONS = new Set(["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Mod", "Range", "Where"]);

function isSetting(type: string, slot: number): boolean {
  return (SET_BY_REST.has(type) && slot > 0) || COMPARISONS.has(type);
}

function constantsOf(nodes: readonly FileNode[]): [string, Tensor][] {
  const constants = nodes.filter(({ type }) => type === "Constant");
  return constants.flatMap(({ outputs, attributes }) => {
    const value = attributes.tensor("value");
    const floating = value?.dtype === "float64" ? float32(value.shape, numbers(value)) : value;
    return floating ? [[outputs[0]!, floating] as [string, Tensor]] : [];
  });
}

const SCALES = new Set(["Sub", "Div", "Mul", "Add"]);
const PASSES = new Set([
  "Cast",
  "Identity",
  "Transpose",
  "Reshape",
  "Flatten",
  "Squeeze",
  "Unsqueeze",
  "Clip",
  "Resize",
  "Pad",
]);

/** The tensors that scale or shift the images before any layer sees them: mean and deviation of the pixels. */
function scalingNames({ nodes, initializers }: OnnxFile, input: string): ReadonlySet<string> {
  const images = new Set([input]);
  const names = new Set<string>();
  for (const { type, inputs, outputs } of nodes) {
    const scales = SCALES.has(type) && inputs.some((name) => images.has(name));
    const others = inputs.filter((name) => !images.has(name));
    if (scales && others.every((name) => initializers.has(name))) {
      for (const name of others) names.add(name);
      images.add(outputs[0]!);
    } else if (PASSES.has(type) && images.has(inputs[0]!)) images.add(outputs[0]!);
  }
  return names;
}

/** A name for each BatchNormalization: PyTorch's where the file has it. */
function modulesOf(nodes: readonly FileNode[]): ReadonlyMap<FileNode, string> {
  const modules = new Map<FileNode, string>();
  const taken = new Set<string>();
  for (const node of nodes.filter(({ type }) => type === NORM)) {
    const named =
      /^(.+)\.running_mean$/.exec(node.inputs[3] ?? "") ?? /^(.+)[./](weight|gamma)\b/.exec(node.inputs[1] ?? "");
    const module = named && !taken.has(named[1]!) ? named[1]! : node.outputs[0]!;
    taken.add(module);
    modules.set(node, module);
  }
  return modules;
}
