import { fail } from "../util/index.ts";
import { bfloat16ToFloat32, halfToFloat32 } from "./half.ts";
import { type StoredTensor, safetensorsHeader } from "./safetensors-header.ts";
import { shapeText, sizeOf } from "./shape.ts";
import { type Arrays, BYTES_PER_ELEMENT, type DType, type Tensor, type Tensors } from "./tensor.ts";

export interface Safetensors {
  readonly tensors: Tensors;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The tensors and the metadata in the bytes of a safetensors file.
 *
 * F32, F64, I64, I32, U8 and BOOL keep their type; F16 and BF16 are widened to float32, exactly. Tensors are views of
 * `bytes` where the alignment allows it and copies elsewhere, so `bytes` must not be written to afterwards.
 *
 * @param name how errors call the file
 * @throws FedleakError when the bytes are not exactly one well-formed file: nothing may be missing, doubled or left over.
 *
 * Source: the format's description at https://github.com/huggingface/safetensors#format
 * Differs: no 8-bit floats, 16-bit or unsigned wide integers; hosts are taken to be little-endian, as the format is.
 */
export function readSafetensors(bytes: Uint8Array, name: string): Safetensors {
  const { stored, metadata, data } = safetensorsHeader(bytes, name);
  return { tensors: Object.fromEntries(stored.map((entry) => [entry.name, readTensor(entry, data, name)])), metadata };
}

/**
 * The bytes of a safetensors file that holds `tensors` and `metadata`; reading them back gives equal tensors.
 *
 * The header keeps the order of `tensors`; wide elements are laid out first, so that every tensor is aligned.
 *
 * @throws FedleakError when a tensor has not as many elements as its shape says, or is called `__metadata__`.
 */
export function writeSafetensors(tensors: Tensors, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const entries = Object.entries(tensors);
  for (const [name, t] of entries) checkWritable(name, t);

  const widestFirst = [...entries].sort(([, a], [, b]) => BYTES_PER_ELEMENT[b.dtype] - BYTES_PER_ELEMENT[a.dtype]);
  const offsets = new Map<string, readonly [number, number]>();
  let sizeBytes = 0;
  for (const [name, t] of widestFirst) {
    offsets.set(name, [sizeBytes, sizeBytes + t.data.byteLength]);
    sizeBytes += t.data.byteLength;
  }

  const described = entries.map(([name, t]) => [
    name,
    { dtype: CODES[t.dtype], shape: t.shape, data_offsets: offsets.get(name) },
  ]);
  const about = Object.keys(metadata).length > 0 ? [["__metadata__", metadata]] : [];
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries([...about, ...described])));
  const start = Math.ceil((8 + json.length) / 8) * 8; // the header ends on a multiple of 8, filled up with spaces

  const out = new Uint8Array(start + sizeBytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(start - 8), true);
  out.fill(0x20, 8, start);
  out.set(json, 8);
  for (const [name, { data }] of entries) {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start + offsets.get(name)![0]);
  }
  return out;
}

const CODES: Readonly<Record<DType, string>> = {
  float32: "F32",
  float64: "F64",
  int64: "I64",
  int32: "I32",
  uint8: "U8",
  bool: "BOOL",
};

function readTensor({ name, code, shape, begin, end }: StoredTensor, data: Uint8Array, file: string): Tensor {
  const part = data.subarray(begin, end);
  switch (code) {
    case "F32":
      return { dtype: "float32", shape, data: view(Float32Array, part) };
    case "F64":
      return { dtype: "float64", shape, data: view(Float64Array, part) };
    case "I64":
      return { dtype: "int64", shape, data: view(BigInt64Array, part) };
    case "I32":
      return { dtype: "int32", shape, data: view(Int32Array, part) };
    case "U8":
      return { dtype: "uint8", shape, data: part };
    case "BOOL":
      return { dtype: "bool", shape, data: checkedBooleans(part, name, file) };
    case "F16":
      return { dtype: "float32", shape, data: halfToFloat32(view(Uint16Array, part)) };
    case "BF16":
      return { dtype: "float32", shape, data: bfloat16ToFloat32(view(Uint16Array, part)) };
  }
}

interface ViewOf<A> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
}

/** The bytes seen as elements: in place when they are aligned, else through a copy. */
function view<A extends Arrays[DType] | Uint16Array>(Elements: ViewOf<A>, bytes: Uint8Array): A {
  const whole = bytes.byteOffset % Elements.BYTES_PER_ELEMENT === 0 ? bytes : Uint8Array.from(bytes);
  return new Elements(whole.buffer, whole.byteOffset, bytes.length / Elements.BYTES_PER_ELEMENT);
}

function checkedBooleans(bytes: Uint8Array, name: string, file: string): Uint8Array {
  const at = bytes.findIndex((byte) => byte > 1);
  if (at >= 0) {
    fail({
      who: `safetensors ${file}`,
      must: `tensor "${name}" of dtype BOOL must hold bytes 0 and 1 only`,
      got: `${bytes[at]} at element ${at}`,
      remedy: "Store it as U8, or write the file again.",
    });
  }
  return bytes;
}

function checkWritable(name: string, { dtype, shape, data }: Tensor): void {
  if (name === "__metadata__") {
    fail({
      who: "writeSafetensors",
      must: "no tensor may have the reserved name",
      got: `"${name}"`,
      remedy: "Rename the tensor.",
    });
  }
  if (data.length !== sizeOf(shape) || data.BYTES_PER_ELEMENT !== BYTES_PER_ELEMENT[dtype]) {
    fail({
      who: "writeSafetensors",
      must: `tensor "${name}" (${dtype} ${shapeText(shape)}) must hold ${sizeOf(shape)} elements of ${BYTES_PER_ELEMENT[dtype]} bytes`,
      got: `${data.length} of ${data.BYTES_PER_ELEMENT}`,
      remedy: "Make it with tensor(dtype, shape, data).",
    });
  }
}
