import { halfToFloat32 } from "./half.ts";
import { type NpyHeader, npyHeader } from "./npy-header.ts";
import { type Shape, stridesOf } from "./shape.ts";
import { type DType, type Tensor, tensor } from "./tensor.ts";

/**
 * The tensor in the bytes of an npy file, as `numpy.save` writes it.
 *
 * Little-endian float64, float32, float16 (widened to float32, exactly), int64 and int32, uint8 and bool; arrays in
 * Fortran order are turned into C order. The result shares no memory with `bytes`.
 *
 * @param name how errors call the file
 * @throws FedleakError when the bytes are not exactly one such file. Python objects (pickles) are never read.
 *
 * Source: the format's description, numpy.lib.format.
 */
export function readNpy(bytes: Uint8Array, name: string): Tensor {
  const { descr, fortran, shape, data } = npyHeader(bytes, name);
  const read = elementsOf(descr, data);
  const ordered = fortran && shape.length > 1 ? { ...read, data: inRows(read.data, shape) } : read;
  return tensor(ordered.dtype, shape, ordered.data as never);
}

/** The bytes of an npy file (version 1.0) with this tensor; reading them back gives an equal one. */
export function writeNpy({ dtype, shape, data }: Tensor): Uint8Array {
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${DESCR[dtype]}', 'fortran_order': False, 'shape': (${extents}), }`;
  const start = Math.ceil((10 + text.length + 1) / 64) * 64; // the format's alignment
  const out = new Uint8Array(start + data.byteLength);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(out.buffer).setUint16(8, start - 10, true);
  out.fill(0x20, 10, start);
  out.set(new TextEncoder().encode(text), 10);
  out[start - 1] = 0x0a;
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return out;
}

const DESCR: Readonly<Record<DType, NpyHeader["descr"]>> = {
  float32: "<f4",
  float64: "<f8",
  int64: "<i8",
  int32: "<i4",
  uint8: "|u1",
  bool: "|b1",
};

function elementsOf(descr: NpyHeader["descr"], data: Uint8Array): Pick<Tensor, "dtype" | "data"> {
  const { buffer } = Uint8Array.from(data); // a copy, so that elements are aligned
  switch (descr) {
    case "<f4":
      return { dtype: "float32", data: new Float32Array(buffer) };
    case "<f8":
      return { dtype: "float64", data: new Float64Array(buffer) };
    case "<i8":
      return { dtype: "int64", data: new BigInt64Array(buffer) };
    case "<i4":
      return { dtype: "int32", data: new Int32Array(buffer) };
    case "<f2":
      return { dtype: "float32", data: halfToFloat32(new Uint16Array(buffer)) };
    case "|u1":
      return { dtype: "uint8", data: new Uint8Array(buffer) };
    case "|b1":
      return { dtype: "bool", data: new Uint8Array(buffer).map((byte) => (byte === 0 ? 0 : 1)) };
  }
}

/** Elements of Fortran order in C order: element (i, j, …) lies at i + I·(j + J·…). */
function inRows(data: Tensor["data"], shape: Shape): Tensor["data"] {
  const out = data.slice();
  const rows = stridesOf(shape);
  const columns = [...stridesOf([...shape].reverse())].reverse();
  for (let at = 0; at < data.length; at++) {
    let from = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      from += (Math.floor(at / rows[axis]!) % shape[axis]!) * columns[axis]!;
    }
    out[at] = data[from]!;
  }
  return out;
}
