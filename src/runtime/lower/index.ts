import { type Node, type OpName, splatOf, topological } from "../../graph/index.ts";
import { numbers, type Tensors } from "../../tensor/index.ts";
import { emitter, type ValueInfo } from "../onnx/emitter.ts";
import { KERNELS, type Values } from "../reference/kernels.ts";
import type { Context, Lowerings } from "./context.ts";
import { contract } from "./contract.ts";
import { elementwise } from "./elementwise.ts";
import { structure } from "./structure.ts";

/** A graph as an ONNX model, and the inputs it is fed with. */
export interface Lowered {
  readonly bytes: Uint8Array;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly nodes: number;
}

type LeafName = "input" | "constant" | "scalar";
const LOWERINGS: Lowerings<Exclude<OpName, LeafName>> = { ...elementwise, ...structure, ...contract };
const NEVER_FOLDED = new Set<string>(["matmul", "conv", "conv-input", "conv-weight", "broadcast"]); // too slow or large

/**
 * Lowers a graph to one ONNX model. Inputs named in `bake` become initializers; what depends on them alone is computed
 * here, by the reference kernels.
 */
export function lower(outputs: Readonly<Record<string, Node>>, bake: Tensors): Lowered {
  const emit = emitter();
  const constants = new Map<Node, Values>();
  const names = new Map<Node, string>();
  const nodes = topological(Object.values(outputs));

  const nameOf = (node: Node): string => {
    const known = names.get(node);
    if (known !== undefined) return known;
    const values = constants.get(node);
    const name = values ? initializer(node, values) : emitNode(node);
    names.set(node, name);
    return name;
  };
  const initializer = (node: Node, values: Values): string => {
    if (node.kind === "float") {
      return node.shape.length === 0 ? emit.scalar(values[0]!) : emit.floats(node.shape, Float32Array.from(values));
    }
    const dtype = node.kind === "bool" ? "bool" : "int64";
    const data = dtype === "bool" ? Uint8Array.from(values) : BigInt64Array.from(Array.from(values, BigInt));
    return emit.tensor({ dtype, shape: node.shape, data });
  };
  const context: Context = {
    ...emit,
    value: nameOf,
    narrow: (node) => {
      const splat = splatOf(node);
      if (splat !== undefined) return emit.scalar(splat);
      return nameOf(node.op.name === "broadcast" ? node.inputs[0]! : node);
    },
    constant: (node) => constants.get(node),
  };
  const emitNode = (node: Node): string => {
    const lowering = LOWERINGS[node.op.name as Exclude<OpName, LeafName>] as (node: Node, context: Context) => string;
    return emit.within(node.op.name, () => lowering(node, context));
  };

  const inputs: ValueInfo[] = [];
  for (const node of nodes) {
    const values = constantValues(node, bake, constants);
    if (values) constants.set(node, values);
    else if (node.op.name === "input") {
      const name = String(node.attrs.name);
      names.set(node, name);
      inputs.push({ name, shape: node.shape, kind: node.kind });
    }
  }
  const results = Object.entries(outputs).map(([name, node]): ValueInfo => {
    emit.named("Identity", nameOf(node), name);
    return { name, shape: node.shape, kind: node.kind };
  });
  return { bytes: emit.finish(inputs, results), inputs, outputs: results, nodes: nodes.length };
}

/** The elements of a node that is fixed: a leaf, or an op of fixed nodes. */
function constantValues(node: Node, bake: Tensors, constants: ReadonlyMap<Node, Values>): Values | undefined {
  if (node.op.name === "input") {
    const baked = bake[String(node.attrs.name)];
    return baked && Float64Array.from(numbers(baked));
  }
  if (NEVER_FOLDED.has(node.op.name) || !node.inputs.every((x) => constants.has(x))) return undefined;
  const kernel = KERNELS[node.op.name as OpName] as (node: Node, ...inputs: Values[]) => Values;
  return kernel(node, ...node.inputs.map((x) => constants.get(x)!));
}
