import { describe, type Node, type OpName, simplify, splatOf, topological } from "../../graph/index.ts";
import {
  int64,
  numbers,
  type Shape,
  sameShape,
  shapeText,
  sizeOf,
  type Tensor,
  type Tensors,
} from "../../tensor/index.ts";
import { fail } from "../../util/index.ts";
import { emitter, type OnnxModel, type ValueInfo } from "../onnx/emitter.ts";
import { KERNELS, type Values } from "../reference/kernels.ts";
import type { Context, Lowerings, Target } from "./context.ts";
import { contract } from "./contract.ts";
import { elementwise } from "./elementwise.ts";
import { structure } from "./structure.ts";

/** A graph as an ONNX model, and the inputs it is fed with. */
export interface Lowered extends OnnxModel {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly nodes: number;
  /** The graph op that each ONNX value comes from, for profiles. */
  readonly labels: ReadonlyMap<string, string>;
  /** ONNX nodes that only the CPU can run: WebGPU's MaxPool gives no indices. */
  readonly cpuOnly: readonly string[];
}

type LeafName = "input" | "constant" | "scalar";
const LOWERINGS: Lowerings<Exclude<OpName, LeafName>> = { ...elementwise, ...structure, ...contract };
const NEVER_FOLDED = new Set<string>(["matmul", "conv", "conv-input", "conv-weight", "broadcast"]); // too slow or large
const MOVES = new Set<string>(["reshape", "transpose"]); // folded at any size: others may then use the result
const FOLDED_UP_TO = 1 << 16; // elements (our choice): beyond, the runtime is faster than the reference

/**
 * Lowers a graph to one ONNX model. Inputs named in `bake` become initializers; what depends on them alone and is
 * small is computed here, by the reference kernels. With `weights`, that is so of these inputs only: the elements of the others, and
 * of the graph's own tensors, which may come of a client's data, are not looked at.
 */
export function lower(
  wanted: Readonly<Record<string, Node>>,
  bake: Tensors,
  weights?: readonly string[] | undefined,
  { device, threads }: Target = { device: "cpu", threads: 0 },
): Lowered {
  const emit = emitter();
  const simple = simplify(Object.values(wanted));
  const outputs = Object.fromEntries(Object.keys(wanted).map((name, i) => [name, simple[i]!]));
  const nodes = topological(Object.values(outputs));
  const uses = new Map<Node, number>();
  for (const node of [...nodes.flatMap(({ inputs }) => inputs), ...simple]) uses.set(node, (uses.get(node) ?? 0) + 1);
  const trained = new Set(nodes.filter(({ op }) => op.name === "conv-weight").map(({ inputs: [x] }) => x));
  const known = knownNodes(nodes, bake, weights && new Set(weights));
  const constants = new Map<Node, Values>();
  const names = new Map<Node, string>();

  const constant = (node: Node): Values | undefined => {
    if (!known.has(node)) return undefined;
    const values = constants.get(node) ?? fold(node, bake, (x) => constant(x)!);
    constants.set(node, values);
    return values;
  };
  const nameOf = (node: Node): string => {
    const name = names.get(node) ?? (known.has(node) || tensorOf(node, bake) ? initializer(node) : emitNode(node));
    names.set(node, name);
    return name;
  };
  const initializer = (node: Node): string => {
    const given = tensorOf(node, bake);
    if (given) return emit.tensor(given);
    const values = constant(node)!;
    if (node.kind === "bool") return emit.tensor({ dtype: "bool", shape: node.shape, data: new Uint8Array(values) });
    if (node.kind === "int") return emit.tensor(int64(node.shape, values));
    return node.shape.length === 0 ? emit.scalar(values[0]!) : emit.floats(node.shape, new Float32Array(values));
  };
  const context: Context = {
    ...emit,
    target: { device, threads },
    uses: (node) => uses.get(node) ?? 0,
    trains: (image) => trained.has(image),
    constant: (node) => {
      const given = known.has(node) ? tensorOf(node, bake) : undefined;
      return given ? numbers(given) : constant(node);
    },
    isKnown: (node) => known.has(node),
    value: nameOf,
    narrow: (node) => {
      const splat = splatOf(node);
      if (splat !== undefined) return spreadScalar(node.shape, splat);
      return nameOf(node.op.name === "broadcast" ? node.inputs[0]! : node);
    },
  };
  /** One number for all of a shape. Where the last extent is 1, one of rank 0 makes onnxruntime's loops one element long: 131 thousand took 1.5 ms, else 0.05. */
  const spreadScalar = (shape: Shape, value: number): string => {
    if (shape.length < 2 || shape.at(-1) !== 1) return emit.scalar(value);
    const ones = shape.map(() => 1);
    return emit.once(`f${value} at rank ${ones.length}`, () => emit.floats(ones, Float32Array.of(value)));
  };
  const emitNode = (node: Node): string => {
    const lowering = LOWERINGS[node.op.name as Exclude<OpName, LeafName>] as (node: Node, context: Context) => string;
    return emit.within(node.op.name, () => lowering(node, context));
  };

  const fed = nodes.filter((node) => node.op.name === "input" && !tensorOf(node, bake));
  const inputs = fed.map(border);
  for (const node of fed) names.set(node, String(node.attrs.name));
  const twin = inputs.find(({ name }) => name in outputs);
  if (twin)
    fail({
      who: "compile",
      must: "outputs and inputs must differ in name",
      got: `"${twin.name}" twice`,
      remedy: "Rename the output.",
    });
  const results = Object.entries(outputs).map(([name, node]): ValueInfo => {
    emit.publish(nameOf(node), name);
    return { name, shape: node.shape, kind: node.kind };
  });
  const about = { nodes: nodes.length, labels: emit.labels(), cpuOnly: emit.namesOf("MaxPool") };
  return { ...emit.finish(inputs, results), inputs, outputs: results, ...about };
}

/**
 * The nodes whose elements may be looked at now: scalars, baked inputs and the graph's own tensors (with `weights`, these inputs
 * only), and what is cheaply computed from these alone.
 */
function knownNodes(
  nodes: readonly Node[],
  bake: Tensors,
  weights: ReadonlySet<string> | undefined,
): ReadonlySet<Node> {
  const known = new Set<Node>();
  const isOpen = ({ op, attrs: { name } }: Node) => {
    if (op.name === "input") return String(name) in bake && (!weights || weights.has(String(name)));
    return op.name !== "constant" || !weights;
  };
  for (const node of nodes) {
    const leaf = node.inputs.length === 0;
    const foldable = () =>
      !NEVER_FOLDED.has(node.op.name) && node.inputs.every((x) => known.has(x) && isFoldable(node, x));
    if (leaf ? isOpen(node) : foldable()) known.add(node);
  }
  return known;
}

function isFoldable(node: Node, x: Node): boolean {
  return MOVES.has(node.op.name) || sizeOf(x.shape) <= FOLDED_UP_TO;
}

/** The tensor of a constant or a baked input. */
function tensorOf(node: Node, bake: Tensors): Tensor | undefined {
  if (node.op.name === "constant") return node.attrs.tensor as Tensor;
  if (node.op.name !== "input") return undefined;
  const baked = bake[String(node.attrs.name)];
  if (baked && !sameShape(baked.shape, node.shape)) {
    fail({
      who: "compile",
      must: `baked input "${node.attrs.name}" must be ${describe(node)}`,
      got: shapeText(baked.shape),
      remedy: "Bake a tensor of that shape.",
    });
  }
  return baked;
}

/** The elements of a fixed node, by the reference kernels. */
function fold(node: Node, bake: Tensors, valuesOf: (node: Node) => Values): Values {
  const given = tensorOf(node, bake);
  if (given) return new Float64Array(numbers(given));
  const kernel = KERNELS[node.op.name as OpName] as (node: Node, ...inputs: Values[]) => Values;
  return kernel(node, ...node.inputs.map(valuesOf));
}

function border(node: Node): ValueInfo {
  return { name: String(node.attrs.name), shape: node.shape, kind: node.kind };
}
