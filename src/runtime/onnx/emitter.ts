import { float32, int64, type Shape, type Tensor } from "../../tensor/index.ts";
import {
  type External,
  initializer,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type ValueInfo,
} from "./model-file.ts";

export type { OnnxModel, ValueInfo } from "./model-file.ts";

export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

/** Collects ONNX nodes and initializers and writes them out as one model. Values go by name. */
export interface Emitter {
  /** Adds a node with one output (or `outputs` of them) and returns the first one's name. */
  op(type: string, inputs: readonly string[], attributes?: Readonly<Record<string, OnnxAttribute>>): string;
  ops(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>>,
    outputs: number,
  ): readonly string[];
  /** The value of one branch or the other; only the chosen one is computed. Both give tensors of one type. */
  choose(condition: string, yes: () => string, no: () => string): string;
  /** Calls a value `output`: under that name alone where a node of the graph makes it, else as a copy. */
  publish(value: string, output: string): void;
  /** A fixed float32 tensor (baked in). */
  floats(shape: Shape, values: Float32Array): string;
  /** A fixed float32 scalar; equal numbers share one initializer. */
  scalar(value: number): string;
  /** A fixed int64 vector, as shapes, axes and pads are given; equal ones share one initializer. */
  ints(values: readonly number[]): string;
  /** A fixed tensor of any kind: float64 is rounded to float32, int32 widened. */
  tensor(tensor: Tensor): string;
  /** The value that `make` gave when first called under this key. */
  once(key: string, make: () => string): string;
  /** Names the output of a node and which graph op it came from, for profiles. */
  within<T>(label: string, emit: () => T): T;
  /** The names of all nodes of one ONNX operator so far. */
  namesOf(type: string): readonly string[];
  /** For each value, the label it was made `within`. */
  labels(): ReadonlyMap<string, string>;
  finish(inputs: readonly ValueInfo[], outputs: readonly ValueInfo[]): OnnxModel;
}

export function emitter(): Emitter {
  const external: External[] = [];
  const given: { readonly name: string; readonly tensor: Tensor }[] = [];
  let node: OnnxNode[] = [];
  const entries: OnnxGraph["initializer"][number][] = [];
  const shared = new Map<string, string>();
  const labels = new Map<string, string>();
  const outputs = new Map<string, string>(); // values that go by the name of an output
  const made = new Set<string>(); // values that nodes of the graph itself make, not of a branch
  let depth = 0;
  let label = "";
  let count = 0;

  const once = (key: string, make: () => string): string => {
    const name = shared.get(key) ?? make();
    shared.set(key, name);
    return name;
  };
  const fresh = () => `~c${count++}`; // ~: no name of a model or of an attack begins with it
  const store = (values: Tensor): string => {
    const { entry, beside } = initializer(fresh(), values);
    entries.push(entry);
    external.push(...beside);
    return entry.name;
  };
  const add = (entry: OnnxNode) => {
    node.push(entry);
  };
  const ops: Emitter["ops"] = (opType, input, attributes, outputs) => {
    const output = Array.from({ length: outputs }, () => `~v${count++}`);
    for (const name of output) {
      labels.set(name, label);
      if (depth === 0) made.add(name);
    }
    const attribute = Object.entries(attributes).map(([name, value]) => ({ name, ...attributeProto(value) }));
    add({ name: `${label}/${opType}/${output[0]}`, opType, input, output, attribute });
    return output;
  };

  const branch = (emit: () => string): object => {
    const outer = node;
    node = [];
    depth++;
    const output = [{ name: emit() }];
    const graph = { name: `b${count++}`, node, output };
    node = outer;
    depth--;
    return graph;
  };

  return {
    ops,
    once,
    choose: (condition, yes, no) => {
      const branches = { then_branch: branch(yes), else_branch: branch(no) };
      const attribute = Object.entries(branches).map(([name, g]) => ({ name, g, type: 5 })); // AttributeProto.GRAPH
      const output = `~v${count++}`;
      labels.set(output, label);
      add({ name: `${label}/If/${output}`, opType: "If", input: [condition], output: [output], attribute });
      return output;
    },
    publish: (value, output) => {
      if (made.has(value) && !outputs.has(value)) outputs.set(value, output);
      else add({ name: output, opType: "Identity", input: [value], output: [output] });
    },
    op: (type, inputs, attributes = {}) => ops(type, inputs, attributes, 1)[0]!,
    floats: (shape, values) => store(float32(shape, values)),
    scalar: (value) => once(`f${value}`, () => store(float32([], [value]))),
    ints: (values) => once(`i${values.join()}`, () => store(int64([values.length], values))),
    tensor: (t) => {
      const name = fresh();
      given.push({ name, tensor: t });
      return name;
    },
    within: (name, emit) => {
      const outer = label;
      label = name;
      const result = emit();
      label = outer;
      return result;
    },
    labels: () => labels,
    namesOf: (type) => node.filter(({ opType }) => opType === type).map(({ name }) => name),
    finish: (inputs, results) => ({
      graph: {
        node: node.map((entry) => renamed(entry, outputs)),
        initializer: entries,
        input: inputs,
        output: results,
      },
      external,
      given,
    }),
  };
}

/** A node and its branches with values under other names. */
function renamed(node: OnnxNode, names: ReadonlyMap<string, string>): OnnxNode {
  const called = (value: string) => names.get(value) ?? value;
  const branch = (g: { readonly node: readonly OnnxNode[] }) => ({ ...g, node: g.node.map((x) => renamed(x, names)) });
  const attribute = node.attribute?.map((a) => (a.g ? { ...a, g: branch(a.g as Parameters<typeof branch>[0]) } : a));
  return { ...node, input: node.input.map(called), output: node.output.map(called), ...(attribute && { attribute }) };
}

/** An attribute's value in the schema's names, with its kind. */
export function attributeProto(value: OnnxAttribute): object {
  if (typeof value === "string") return { s: new TextEncoder().encode(value), type: 3 }; // AttributeProto.STRING
  if (typeof value === "number") return { i: value, type: 2 }; // INT
  if ("float" in value) return { f: value.float, type: 1 }; // FLOAT
  return { ints: [...value], type: 7 }; // INTS
}
