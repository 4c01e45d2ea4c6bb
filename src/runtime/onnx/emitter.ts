import { numbers, type Shape, type Tensor } from "../../tensor/index.ts";
import { encodeModel } from "./schema.ts";

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
  /** Adds a node whose output is called `output`. */
  named(type: string, input: string, output: string): void;
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

/** A model's file, and the large tensors that it refers to by path instead of holding them. */
export interface OnnxModel {
  readonly bytes: Uint8Array;
  readonly external: readonly { readonly path: string; readonly data: Uint8Array }[];
}

/** A value at the border of the model. */
export interface ValueInfo {
  readonly name: string;
  readonly shape: Shape;
  readonly kind: "float" | "int" | "bool";
}

const OPSET = 18; // the newest one for which onnxruntime's CPU and WebGPU kernels cover every op used here
const IR_VERSION = 8; // goes with opset 18
const ELEMENT = { float: 1, int: 7, bool: 9 } as const; // TensorProto.DataType: FLOAT, INT64, BOOL
const EXTERNAL_FROM = 1024; // bytes (our choice); larger tensors are handed over without a copy through the file

/** An empty ONNX graph, to which nodes and constants are added. */
export function emitter(): Emitter {
  const external: { readonly path: string; readonly data: Uint8Array }[] = [];
  let node: { readonly name: string; readonly opType: string }[] = [];
  const initializer: object[] = [];
  const shared = new Map<string, string>();
  const labels = new Map<string, string>();
  let label = "";
  let count = 0;

  const once = (key: string, make: () => string): string => {
    const name = shared.get(key) ?? make();
    shared.set(key, name);
    return name;
  };
  const store = (shape: Shape, dataType: number, bytes: ArrayBufferView): string => {
    const name = `~c${count++}`; // ~: no name of a model or of an attack begins with it
    const data = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    initializer.push({ name, dims: [...shape], dataType, ...placed(name, data) });
    return name;
  };
  const placed = (path: string, data: Uint8Array): object => {
    if (data.byteLength < EXTERNAL_FROM) return { rawData: data };
    external.push({ path, data });
    const entries = { location: path, offset: "0", length: String(data.byteLength) };
    return { dataLocation: 1, externalData: Object.entries(entries).map(([key, value]) => ({ key, value })) }; // EXTERNAL
  };
  const add = (entry: { readonly name: string; readonly opType: string; readonly [field: string]: unknown }) => {
    node.push(entry);
  };
  const ops: Emitter["ops"] = (opType, input, attributes, outputs) => {
    const output = Array.from({ length: outputs }, () => `~v${count++}`);
    for (const name of output) labels.set(name, label);
    const attribute = Object.entries(attributes).map(([name, value]) => ({ name, ...attributeProto(value) }));
    add({ name: `${label}/${opType}/${output[0]}`, opType, input, output, attribute });
    return output;
  };

  const branch = (emit: () => string): object => {
    const outer = node;
    node = [];
    const output = [{ name: emit() }];
    const graph = { name: `b${count++}`, node, output };
    node = outer;
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
    named: (opType, input, output) => {
      add({ name: output, opType, input: [input], output: [output] });
    },
    op: (type, inputs, attributes = {}) => ops(type, inputs, attributes, 1)[0]!,
    floats: (shape, values) => store(shape, ELEMENT.float, values),
    scalar: (value) => once(`f${value}`, () => store([], ELEMENT.float, Float32Array.of(value))),
    ints: (values) =>
      once(`i${values.join()}`, () => store([values.length], ELEMENT.int, BigInt64Array.from(values, BigInt))),
    tensor: (t) => {
      if (t.dtype === "bool") return store(t.shape, ELEMENT.bool, t.data);
      if (t.dtype === "int64") return store(t.shape, ELEMENT.int, t.data);
      if (t.dtype === "float32") return store(t.shape, ELEMENT.float, t.data);
      if (t.dtype === "float64") {
        return store(t.shape, ELEMENT.float, new Float32Array(numbers(t)));
      }
      return store(t.shape, ELEMENT.int, BigInt64Array.from(Array.from(numbers(t)), BigInt));
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
    finish: (inputs, outputs) => {
      const graph = {
        name: "fedleak",
        node,
        initializer,
        input: inputs.map(valueInfo),
        output: outputs.map(valueInfo),
      };
      const opsetImport = [{ domain: "", version: OPSET }];
      return { bytes: encodeModel({ irVersion: IR_VERSION, producerName: "fedleak", opsetImport, graph }), external };
    },
  };
}

/** An attribute's value in the schema's names, with its kind. */
export function attributeProto(value: OnnxAttribute): object {
  if (typeof value === "string") return { s: new TextEncoder().encode(value), type: 3 }; // AttributeProto.STRING
  if (typeof value === "number") return { i: value, type: 2 }; // INT
  if ("float" in value) return { f: value.float, type: 1 }; // FLOAT
  return { ints: [...value], type: 7 }; // INTS
}

function valueInfo({ name, shape, kind }: ValueInfo): object {
  const dim = shape.map((dimValue) => ({ dimValue }));
  return { name, type: { tensorType: { elemType: ELEMENT[kind], shape: { dim } } } };
}
