import { float32, numbers, type Shape, type Tensor } from "../../tensor/index.ts";
import { encodeModel } from "./schema.ts";

/** A model as plain objects with the schema's field names, but for the initializers in `given`. */
export interface OnnxModel {
  readonly graph: OnnxGraph;
  /** What initializers refer to by path instead of holding it. */
  readonly external: readonly External[];
  /** Tensors that were handed over as they are, by the initializer's name: weights, targets. */
  readonly given: readonly { readonly name: string; readonly tensor: Tensor }[];
}

export interface OnnxGraph {
  readonly node: readonly OnnxNode[];
  readonly initializer: readonly InitializerEntry[];
  readonly input: readonly ValueInfo[];
  readonly output: readonly ValueInfo[];
}

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute?: readonly { readonly name: string; readonly g?: unknown }[];
}

/** A large tensor beside the file. */
export interface External {
  readonly path: string;
  readonly data: Uint8Array;
}

/** A value at the border of the model. */
export interface ValueInfo {
  readonly name: string;
  readonly shape: Shape;
  readonly kind: "float" | "int" | "bool";
}

export interface InitializerEntry {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  /** Absent of external ones. */
  readonly rawData?: Uint8Array;
}

const OPSET = 18; // the newest one for which onnxruntime's CPU and WebGPU kernels cover every op used here
const IR_VERSION = 8; // goes with opset 18
const ELEMENT = { float: 1, int: 7, bool: 9 } as const; // TensorProto.DataType: FLOAT, INT64, BOOL
const EXTERNAL_FROM = 1024; // bytes (our choice); larger tensors are handed over without a copy through the file

/** The bytes of a model's file, without the initializers in `given`; with `inputShapes` false, inputs are of any shape. */
export function modelBytes(graph: OnnxGraph, { inputShapes = true } = {}): Uint8Array {
  const opsetImport = [{ domain: "", version: OPSET }];
  const input = graph.input.map((value) => valueInfo(value, inputShapes));
  const output = graph.output.map((value) => valueInfo(value, true));
  return encodeModel({
    ...{ irVersion: IR_VERSION, producerName: "fedleak", opsetImport },
    graph: { ...graph, name: "fedleak", input, output },
  });
}

/**
 * A file and the tensors beside it, completed by the given ones.
 *
 * They are appended: a second occurrence of a protobuf message is merged into the first, lists one after the other.
 */
export function completed(
  bytes: Uint8Array,
  external: readonly External[],
  given: OnnxModel["given"],
): { readonly bytes: Uint8Array; readonly external: readonly External[] } {
  const made = given.map(({ name, tensor }) => initializer(name, tensor));
  const rest = encodeModel({ graph: { initializer: made.map(({ entry }) => entry) } });
  const whole = new Uint8Array(bytes.length + rest.length);
  whole.set(bytes);
  whole.set(rest, bytes.length);
  return { bytes: whole, external: [...external, ...made.flatMap(({ beside }) => beside)] };
}

/** A fixed tensor's entry, and what it refers to: float64 is rounded to float32, smaller integers are widened. */
export function initializer(name: string, tensor: Tensor): { entry: InitializerEntry; beside: External[] } {
  const entry = inlineInitializer(name, tensor);
  const data = entry.rawData!;
  if (data.byteLength < EXTERNAL_FROM) return { entry, beside: [] };
  const place = { location: name, offset: "0", length: String(data.byteLength) };
  const externalData = Object.entries(place).map(([key, value]) => ({ key, value }));
  const { rawData: _, ...rest } = entry;
  return { entry: { ...rest, dataLocation: 1, externalData } as InitializerEntry, beside: [{ path: name, data }] }; // EXTERNAL
}

/** As `initializer`, with the elements in the file however many they are. */
export function inlineInitializer(name: string, tensor: Tensor): InitializerEntry {
  const { kind, values } = stored(tensor);
  const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dims: [...tensor.shape], dataType: ELEMENT[kind], rawData };
}

function stored(t: Tensor): { readonly kind: ValueInfo["kind"]; readonly values: ArrayBufferView } {
  if (t.dtype === "bool") return { kind: "bool", values: t.data };
  if (t.dtype === "int64") return { kind: "int", values: t.data };
  if (t.dtype === "float32") return { kind: "float", values: t.data };
  if (t.dtype === "float64") return { kind: "float", values: float32(t.shape, numbers(t)).data };
  return { kind: "int", values: BigInt64Array.from(Array.from(numbers(t)), BigInt) };
}

function valueInfo({ name, shape, kind }: ValueInfo, shaped: boolean): object {
  const dim = shape.map((dimValue) => ({ dimValue }));
  return { name, type: { tensorType: { elemType: ELEMENT[kind], ...(shaped && { shape: { dim } }) } } };
}
