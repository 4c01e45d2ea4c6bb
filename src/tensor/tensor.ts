import { fail } from "../util/index.ts";
import { type Shape, shapeText, sizeOf } from "./shape.ts";

/** The element types of tensors in host memory and the typed array that holds each. `bool` is one byte, 0 or 1. */
export interface Arrays {
  float32: Float32Array;
  float64: Float64Array;
  int64: BigInt64Array;
  int32: Int32Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

export type DType = keyof Arrays;

/** An array in host memory: row-major (C order) elements and a shape. Nobody writes to `data` after it was handed over. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: Shape;
  readonly data: Arrays[D];
}

/** State dicts, gradients, updates: tensors by name. */
export type Tensors<D extends DType = DType> = Readonly<Record<string, Tensor<D>>>;

export const BYTES_PER_ELEMENT: Readonly<Record<DType, number>> = {
  float32: 4,
  float64: 8,
  int64: 8,
  int32: 4,
  uint8: 1,
  bool: 1,
};

/** A tensor over `data`; throws when the number of elements is not the product of `shape`. */
export function tensor<D extends DType>(dtype: D, shape: Shape, data: Arrays[D]): Tensor<D> {
  if (data.length !== sizeOf(shape)) {
    fail({
      who: "tensor",
      must: `data of shape ${shapeText(shape)} must have ${sizeOf(shape)} elements`,
      got: `${data.length}`,
      remedy: "Check the shape.",
    });
  }
  return { dtype, shape, data };
}

/** A float32 tensor from any numbers (rounded to float32). */
export function float32(shape: Shape, data: ArrayLike<number>): Tensor<"float32"> {
  return tensor("float32", shape, data instanceof Float32Array ? data : new Float32Array(data));
}

/** A float64 tensor from any numbers. */
export function float64(shape: Shape, data: ArrayLike<number>): Tensor<"float64"> {
  return tensor("float64", shape, data instanceof Float64Array ? data : new Float64Array(data));
}

/** An int64 tensor from integers within ±2^53. */
export function int64(shape: Shape, data: ArrayLike<number>): Tensor<"int64"> {
  return tensor("int64", shape, BigInt64Array.from(Array.from(data, (v) => BigInt(v))));
}

/** The elements as JavaScript numbers; a float array is returned as it is, integers are converted. */
export function numbers(t: Tensor): Float32Array | Float64Array | Int32Array | Uint8Array {
  return t.data instanceof BigInt64Array ? Float64Array.from(t.data, Number) : t.data;
}

/** The only element of a tensor of one element. */
export function scalarOf(t: Tensor): number {
  if (t.data.length !== 1) {
    fail({
      who: "scalarOf",
      must: "tensor must have one element",
      got: shapeText(t.shape),
      remedy: "Reduce it first.",
    });
  }
  return Number(t.data[0]);
}

/** Row `index` of the first axis: [B, ...rest] → [...rest], sharing memory. */
export function row<D extends DType>(t: Tensor<D>, index: number): Tensor<D> {
  const shape = t.shape.slice(1);
  const size = sizeOf(shape);
  return { dtype: t.dtype, shape, data: t.data.subarray(index * size, (index + 1) * size) as Arrays[D] };
}

/** Stacks float32 tensors of one shape along a new first axis: M × [...rest] → [M, ...rest]. */
export function stack(rows: readonly Tensor<"float32">[]): Tensor<"float32"> {
  const first = rows[0];
  if (!first) {
    return fail({ who: "stack", must: "at least one tensor", got: "none", remedy: "Pass a tensor." });
  }
  const size = sizeOf(first.shape);
  const data = new Float32Array(rows.length * size);
  rows.forEach((r, i) => {
    if (shapeText(r.shape) !== shapeText(first.shape)) {
      fail({
        who: "stack",
        must: `all shapes must equal ${shapeText(first.shape)}`,
        got: shapeText(r.shape),
        remedy: "Resize first.",
      });
    }
    data.set(r.data, i * size);
  });
  return { dtype: "float32", shape: [rows.length, ...first.shape], data };
}
