import type { Node } from "../../graph/index.ts";
import { attributeProto, encodeModel, type OnnxAttribute } from "../../runtime/index.ts";
import { int64, numbers, type Tensor, tensor } from "../../tensor/index.ts";
import { fail } from "../../util/index.ts";
import type { Extent } from "./extents.ts";

/** An attribute of a node that is written. */
export type Attribute = OnnxAttribute | { readonly tensor: Tensor };

/** Collects the nodes and tensors of an ONNX file. Values go by name. */
export interface Sheet {
  /** Adds a node with one output and returns its name. */
  op(type: string, inputs: readonly string[], attributes?: Readonly<Record<string, Attribute>>): string;
  /** A list of integers: shapes, axes. Equal ones are one tensor. */
  ints(values: readonly number[]): string;
  /** A number, exact: where float32 does not hold it, a double that is cast. */
  scalar(value: number): string;
  /** A tensor that nobody trains: floats as doubles that are cast, so that no reader takes them for weights. */
  fixed(tensor: Tensor): string;
  /** A shape: where it has the batch size in it, computed from the file's input. */
  shape(extents: readonly Extent[]): string;
  /** The bytes of the file; the value `from` is called `name` in it. */
  finish(from: string, name: string): Uint8Array;
}

export interface SheetOptions {
  readonly opset: number;
  /** The weights, by the names that they keep. */
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly input: { readonly name: string; readonly extents: readonly Extent[] };
  readonly output: { readonly name: string; readonly extents: readonly Extent[] };
}

const ELEMENT = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float64: 11 } as const; // TensorProto.DataType

/** An empty sheet, on which nodes of one ONNX graph are written. */
export function sheetOf({ opset, tensors, input, output }: SheetOptions): Sheet {
  const taken = new Set([...Object.keys(tensors), input.name, output.name]);
  let nodes: { readonly name: string; readonly opType: string; readonly input: string[]; readonly output: string[] }[] =
    [];
  const initializer: object[] = Object.entries(tensors).map(([name, t]) => tensorProto(name, t));
  const shared = new Map<string, string>();
  let count = 0;

  const fresh = (stem: string): string => {
    const name = `${stem}_${count++}`;
    if (taken.has(name)) return fresh(stem);
    taken.add(name);
    return name;
  };
  const once = (key: string, make: () => string): string => {
    const name = shared.get(key) ?? make();
    shared.set(key, name);
    return name;
  };
  const store = (t: Tensor): string => {
    const name = fresh("fixed");
    initializer.push(tensorProto(name, t));
    return name;
  };
  const op: Sheet["op"] = (opType, inputs, attributes = {}) => {
    const name = fresh(opType);
    const attribute = Object.entries(attributes).map(([key, value]) => ({ name: key, ...attributeOf(value) }));
    nodes.push({ name, opType, input: [...inputs], output: [name], ...(attribute.length > 0 && { attribute }) });
    return name;
  };
  const ints: Sheet["ints"] = (values) => once(`ints ${values}`, () => store(int64([values.length], values)));
  const wide = (t: Tensor) => op("Cast", [op("Constant", [], { value: { tensor: t } })], { to: ELEMENT.float32 });
  const batch = () => once("batch", () => op("Gather", [op("Shape", [input.name]), ints([0])]));

  return {
    op,
    ints,
    scalar: (value) =>
      once(`scalar ${value}`, () =>
        Math.fround(value) === value
          ? store(tensor("float32", [], Float32Array.of(value)))
          : wide(tensor("float64", [], Float64Array.of(value))),
      ),
    fixed: (t) => {
      const floating = t.dtype === "float32" || t.dtype === "float64";
      return floating ? wide(tensor("float64", t.shape, new Float64Array(numbers(t)))) : store(t);
    },
    shape: (extents) => {
      if (extents.every((extent) => typeof extent === "number")) return ints(extents as readonly number[]);
      const parts = extents.map((extent) => {
        if (typeof extent === "number") return ints([extent]);
        return extent.times === 1 ? batch() : op("Mul", [batch(), ints([extent.times])]);
      });
      return parts.length === 1 ? parts[0]! : op("Concat", parts, { axis: 0 });
    },
    finish: (from, name) => {
      const called = (value: string) => (value === from ? name : value);
      const made = nodes.some(({ output: [value] }) => value === from);
      if (!made) nodes.push({ name, opType: "Identity", input: [from], output: [name] });
      else nodes = nodes.map((n) => ({ ...n, input: n.input.map(called), output: n.output.map(called) }));
      const graph = {
        name: "fedleak",
        node: nodes,
        initializer,
        input: [valueInfo(input.name, input.extents)],
        output: [valueInfo(output.name, output.extents)],
      };
      const opsetImport = [{ domain: "", version: opset }];
      return encodeModel({ irVersion: irOf(opset), producerName: "fedleak", opsetImport, graph });
    },
  };
}

/** The version of the file format that goes with an opset. Source: ONNX, docs/Versioning.md. */
function irOf(opset: number): number {
  if (opset >= 21) return 10;
  if (opset >= 19) return 9;
  return opset >= 15 ? 8 : 7;
}

function attributeOf(value: Attribute): object {
  if (typeof value === "object" && "tensor" in value) return { t: tensorProto("", value.tensor), type: 4 }; // TENSOR
  return attributeProto(value);
}

function tensorProto(name: string, { dtype, shape, data }: Tensor): object {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims: [...shape], dataType: ELEMENT[dtype], rawData };
}

function valueInfo(name: string, extents: readonly Extent[]): object {
  const dim = extents.map((n) => (typeof n === "number" ? { dimValue: n } : { dimParam: paramOf(n.times) }));
  return { name, type: { tensorType: { elemType: ELEMENT.float32, shape: { dim } } } };
}

const paramOf = (times: number): string => (times === 1 ? "batch" : `${times}*batch`);

/** What has no form in ONNX that means the same. */
export function inexpressible(who: string, node: Node, why: string, remedy: string): never {
  return fail({ who, must: `${node.op.name} must have a form in ONNX`, got: why, remedy });
}
