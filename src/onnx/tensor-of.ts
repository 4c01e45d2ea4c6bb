import {
  bfloat16ToFloat32,
  float32,
  float64,
  halfToFloat32,
  type Shape,
  shapeText,
  sizeOf,
  type Tensor,
  tensor,
} from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import type { RawTensor } from "./raw.ts";

/**
 * A file's tensor as float32, float64, int64 or bool; numbers of other widths are widened.
 *
 * The size that its dimensions claim is compared with the bytes that are there before anything is allocated.
 * Throws FedleakError when they differ, when the data lie in another file, and when the type is not read.
 */
export function tensorOf(raw: RawTensor, who: string): Tensor {
  const title = `${who}: tensor "${raw.name}"`;
  const type = TYPES[raw.dataType];
  if (!type) {
    return fail({
      who: title,
      must: "its type must be a float, an integer or bool",
      got: `type ${raw.dataType}`,
      remedy: "Export the model in float32.",
    });
  }
  if (raw.dataLocation !== 0) {
    return fail({
      who: title,
      must: "its numbers must be in the file",
      got: "a reference to another file (external data)",
      remedy:
        "Save it as one file: torch.onnx.export(…, external_data=False), onnx.save(…, save_as_external_data=False).",
    });
  }
  const shape = raw.dims.map(Number);
  const size = sizeOf(shape);
  const packed = type.typed(raw);
  const there = raw.rawData.length > 0 ? raw.rawData.length / type.bytes : packed.length;
  if (shape.some((n) => n < 0) || there !== size || raw.segment.length > 0) {
    return fail({
      who: title,
      must: `shape ${shapeText(shape)} must be that of its numbers`,
      got: `${there} numbers`,
      remedy: "The file is damaged: copy or export it again.",
    });
  }
  return raw.rawData.length > 0 ? type.raw(shape, raw.rawData) : type.packed(shape, packed);
}

interface Type {
  /** Of an element in raw data. */
  readonly bytes: number;
  /** The elements that stand in a field of their own instead. */
  readonly typed: (raw: RawTensor) => readonly unknown[];
  readonly raw: (shape: Shape, data: Uint8Array) => Tensor;
  readonly packed: (shape: Shape, values: readonly unknown[]) => Tensor;
}

type Numbers = ArrayLike<number> | ArrayLike<bigint>;
interface View {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer): Numbers;
}

const floats = (shape: Shape, values: Numbers) => float32(shape, values as ArrayLike<number>);
const doubles = (shape: Shape, values: Numbers) => float64(shape, values as ArrayLike<number>);
const integers = (shape: Shape, values: Numbers) =>
  tensor("int64", shape, BigInt64Array.from(values as number[], BigInt));
const bools = (shape: Shape, values: Numbers) =>
  tensor(
    "bool",
    shape,
    Uint8Array.from(values as number[], (v) => (v ? 1 : 0)),
  );

/** A type of `View`'s elements that `make` turns into a tensor; `field` holds them where there is no raw data. */
function type(
  View: View,
  field: "floatData" | "int32Data" | "int64Data" | "doubleData" | "uint64Data",
  make: (shape: Shape, values: Numbers) => Tensor,
  decode: (view: Numbers) => Numbers = (view) => view,
): Type {
  const whole = field === "int64Data" || field === "uint64Data";
  return {
    bytes: View.BYTES_PER_ELEMENT,
    typed: (raw) => raw[field],
    raw: (shape, data) => make(shape, decode(new View(data.slice().buffer as ArrayBuffer))),
    packed: (shape, values) =>
      make(shape, whole ? values.map((v) => BigInt(String(v))) : decode(values as readonly number[])),
  };
}

const half = (bits: Numbers) => halfToFloat32(Uint16Array.from(bits as ArrayLike<number>));
const bfloat16 = (bits: Numbers) => bfloat16ToFloat32(Uint16Array.from(bits as ArrayLike<number>));

/** By the number that TensorProto.DataType gives it. Source: the published onnx.proto. */
const TYPES: Readonly<Record<number, Type>> = {
  1: type(Float32Array, "floatData", floats),
  2: type(Uint8Array, "int32Data", integers),
  3: type(Int8Array, "int32Data", integers),
  4: type(Uint16Array, "int32Data", integers),
  5: type(Int16Array, "int32Data", integers),
  6: type(Int32Array, "int32Data", integers),
  7: type(BigInt64Array, "int64Data", integers),
  9: type(Uint8Array, "int32Data", bools),
  10: type(Uint16Array, "int32Data", floats, half),
  11: type(Float64Array, "doubleData", doubles),
  12: type(Uint32Array, "uint64Data", integers),
  13: type(BigUint64Array, "uint64Data", integers),
  16: type(Uint16Array, "int32Data", floats, bfloat16),
};
