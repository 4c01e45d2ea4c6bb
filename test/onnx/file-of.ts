import { encodeModel } from "../../src/runtime/index.ts";
import { float32, int64, type Shape, sizeOf, type Tensor } from "../../src/tensor/index.ts";
import { key, normal, split } from "../../src/util/index.ts";

export type AttributeValue =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly tensor: Tensor }
  | { readonly floats: readonly number[] };

export interface NodeOf {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly domain?: string;
}

export interface FileOf {
  readonly nodes: readonly NodeOf[];
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>;
  readonly outputs: readonly string[];
  readonly initializers?: Readonly<Record<string, Tensor>>;
  readonly opset?: number;
}

const TYPE = { float32: 1, int64: 7, bool: 9 } as Readonly<Record<string, number>>;

/** The bytes of an ONNX file. */
export function fileOf({ nodes, inputs, outputs, initializers = {}, opset = 17 }: FileOf): Uint8Array {
  const value = (name: string, shape?: readonly (number | string)[]) => {
    const dim = shape?.map((n) => (typeof n === "number" ? { dimValue: n } : { dimParam: n }));
    return { name, type: { tensorType: { elemType: 1, ...(dim ? { shape: { dim } } : {}) } } };
  };
  return encodeModel({
    irVersion: 8,
    producerName: "test",
    opsetImport: [
      { domain: "", version: opset },
      { domain: "ai.onnx.ml", version: 3 },
    ],
    graph: {
      name: "g",
      node: nodes.map(({ type, inputs, outputs, attributes = {}, domain = "" }, i) => ({
        opType: type,
        name: `n${i}`,
        domain,
        input: [...inputs],
        output: [...outputs],
        attribute: Object.entries(attributes).map(([name, v]) => ({ name, ...attribute(v) })),
      })),
      input: Object.entries(inputs).map(([name, shape]) => value(name, shape)),
      output: outputs.map((name) => value(name)),
      initializer: Object.entries(initializers).map(([name, t]) => tensorProto(name, t)),
    },
  });
}

export function tensorProto(name: string, { dtype, shape, data }: Tensor): object {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims: [...shape], dataType: TYPE[dtype], rawData };
}

function attribute(v: AttributeValue): object {
  if (typeof v === "number") return { i: v, type: 2 };
  if (typeof v === "string") return { s: new TextEncoder().encode(v), type: 3 };
  if ("float" in v) return { f: v.float, type: 1 };
  if ("floats" in v) return { floats: [...v.floats], type: 6 };
  if ("tensor" in v) return { t: tensorProto("", v.tensor), type: 4 };
  return { ints: [...v], type: 7 };
}

/** Normal numbers that depend on the label. */
export function randomOf(label: string, shape: Shape, of: (v: number) => number = (v) => v): Tensor<"float32"> {
  return float32(shape, normal(split(key(5), label), sizeOf(shape)).map(of));
}

export const ints = (...values: number[]): Tensor => int64([values.length], values);
