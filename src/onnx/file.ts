import { decodeModel } from "../runtime/index.ts";
import { float32, numbers, type Tensor } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { type Attributes, attributesOf } from "./attributes.ts";
import type { RawModel, RawNode, RawValueInfo } from "./raw.ts";
import { tensorOf } from "./tensor-of.ts";

/** One operation of a file; an empty name among its inputs is an input that is not given. */
export interface FileNode {
  /** As errors call it: `Conv "/conv1/Conv"`. */
  readonly title: string;
  /** The operator, with its domain in front where that is not ONNX's own. */
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

/** An input or output of the graph; an extent is undefined where the file leaves it open. */
export interface FileValue {
  readonly name: string;
  readonly shape: readonly (number | undefined)[] | undefined;
}

/** What an ONNX file holds, checked: names are unique, each node's inputs exist before it. */
export interface OnnxFile {
  /** As errors call it. */
  readonly name: string;
  readonly opset: number;
  /** The program that wrote it. */
  readonly producer: string;
  /** In an order in which they can be computed. */
  readonly nodes: readonly FileNode[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** Without those that are initializers. */
  readonly inputs: readonly FileValue[];
  readonly outputs: readonly FileValue[];
}

export const OLDEST = 11; // opset: the oldest one read
export const NEWEST = 22; // opset: the newest one read

/** Reads a file; throws FedleakError when it is no ONNX model, or one of a kind that is not read. */
export function readFile(bytes: Uint8Array, name: string): OnnxFile {
  const model = decodeModel(bytes, name) as RawModel;
  const who = `onnx ${name}`;
  const { graph } = model;
  if (!graph) {
    return fail({ who, must: "the file must hold a graph", got: "none", remedy: "Check that it is an ONNX model." });
  }
  if (graph.sparseInitializer.length > 0 || model.functions.length > 0) {
    const got = model.functions.length > 0 ? "functions" : "sparse initializers";
    return fail({ who, must: "the file must hold nodes and dense tensors only", got, remedy: "Export without them." });
  }
  const opset = opsetOf(model, who);
  const initializers = new Map<string, Tensor>();
  for (const raw of graph.initializer) {
    const tensor = tensorOf(raw, who);
    if (raw.name === "" || raw.name === "__proto__" || initializers.has(raw.name)) {
      fail({
        who,
        must: "initializers must have names that differ",
        got: `"${raw.name}"`,
        remedy: "Export the file again.",
      });
    }
    initializers.set(raw.name, rounded(tensor));
  }
  const inputs = graph.input.filter((value) => !initializers.has(value.name)).map(declared); // older files list weights too
  const nodes = graph.node.map((raw) => nodeOf(raw, who));
  const known = [...initializers.keys(), ...inputs.map((value) => value.name)];
  const ordered = inOrder(nodes, known, who);
  const producer = `${model.producerName} ${model.producerVersion}`.trim();
  return { name, opset, producer, nodes: ordered, initializers, inputs, outputs: graph.output.map(declared) };
}

/** Weights in doubles are trained in float32 here. */
function rounded(t: Tensor): Tensor {
  return t.dtype === "float64" ? float32(t.shape, numbers(t)) : t;
}

function opsetOf({ opsetImport }: RawModel, who: string): number {
  const own = opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx");
  const opset = own ? Number(own.version) : Number.NaN;
  if (opset >= OLDEST && opset <= NEWEST) return opset;
  return fail({
    who,
    must: `the file's opset must be ${OLDEST} to ${NEWEST}`,
    got: own ? String(opset) : "none",
    remedy: "Export with opset_version=17.",
  });
}

function nodeOf(raw: RawNode, who: string): FileNode {
  const { domain } = raw;
  const type = domain === "" || domain === "ai.onnx" ? raw.opType : `${domain}.${raw.opType}`;
  const title = `${type} "${raw.name || raw.output[0] || ""}"`;
  return { title, type, inputs: raw.input, outputs: raw.output, attributes: attributesOf(raw, `${who}: ${title}`) };
}

function declared({ name, type }: RawValueInfo): FileValue {
  const dims = type?.tensorType?.shape?.dim;
  const extent = ({ dimValue }: { readonly dimValue: unknown }) => {
    const n = Number(dimValue);
    return n >= 1 && n <= MOST_EXTENT ? n : undefined; // 0 and −1 stand for “any” in files of some exporters
  };
  return { name, shape: dims?.map(extent) };
}

const MOST_EXTENT = 1 << 30;

/** The nodes, each after those that give its inputs. Throws when a name is given twice, or missing, or in a circle. */
function inOrder(nodes: readonly FileNode[], given: readonly string[], who: string): FileNode[] {
  const makers = new Map<string, FileNode | undefined>(given.map((name) => [name, undefined]));
  for (const node of nodes) {
    for (const output of node.outputs.filter((name) => name !== "")) {
      if (makers.has(output) || output === "__proto__") {
        fail({
          who: `${who}: ${node.title}`,
          must: "each value must come from one place",
          got: `"${output}" twice`,
          remedy: "Export the file again.",
        });
      }
      makers.set(output, node);
    }
  }
  const state = new Map<FileNode, "open" | "done">();
  const ordered: FileNode[] = [];
  const enter = (node: FileNode): FileNode[] => {
    state.set(node, "open");
    return node.inputs.filter((name) => name !== "").flatMap((name) => makerOf(name, node) ?? []);
  };
  const makerOf = (name: string, node: FileNode): FileNode | undefined => {
    if (makers.has(name)) return makers.get(name);
    const must = `its input "${name}" must exist`;
    return fail({ who: `${who}: ${node.title}`, must, got: "no such value", remedy: "Export the file again." });
  };
  for (const root of nodes) {
    if (state.has(root)) continue;
    const path: { readonly node: FileNode; readonly waiting: FileNode[] }[] = [{ node: root, waiting: enter(root) }];
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const next = top.waiting.pop();
      if (!next) {
        state.set(top.node, "done");
        ordered.push(top.node);
        path.pop();
      } else if (state.get(next) === "open") {
        fail({
          who: `${who}: ${next.title}`,
          must: "no node may depend on itself",
          got: "a circle",
          remedy: "Export it again.",
        });
      } else if (!state.has(next)) path.push({ node: next, waiting: enter(next) });
    }
  }
  return ordered;
}
