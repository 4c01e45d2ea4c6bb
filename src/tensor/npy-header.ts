import { fail } from "../util/index.ts";
import { type Shape, sizeOf } from "./shape.ts";

/** Bytes per element of the element types that can be read, by NumPy's name for them. */
export const NPY_BYTES = { "<f8": 8, "<i8": 8, "<f4": 4, "<i4": 4, "<f2": 2, "|u1": 1, "|b1": 1 } as const;

export interface NpyHeader {
  readonly descr: keyof typeof NPY_BYTES;
  /** Whether elements lie column by column: the first axis runs fastest. */
  readonly fortran: boolean;
  readonly shape: Shape;
  /** What follows the header: exactly the elements. */
  readonly data: Uint8Array;
}

/** The checked header of an npy file: \x93NUMPY · version · length (little-endian) · a Python literal of three entries. */
export function npyHeader(bytes: Uint8Array, file: string): NpyHeader {
  const who = `npy ${file}`;
  const { text, data } = splitFile(bytes, who);
  const told = toldBy(text, who);
  const size = sizeOf(told.shape) * NPY_BYTES[told.descr];
  if (data.length !== size) {
    complain(who, `${size} bytes must follow the header, as its shape and type say`, `${data.length} bytes`);
  }
  return { ...told, data };
}

/** The length of a whole file in bytes, as its beginning tells: `HEADER_WITHIN` bytes of it, or all there are. */
export function npyLength(beginning: Uint8Array, file: string): number {
  const who = `npy ${file}`;
  const { text, data } = splitFile(beginning, who);
  const { shape, descr } = toldBy(text, who);
  return beginning.length - data.length + sizeOf(shape) * NPY_BYTES[descr];
}

function toldBy(text: string, who: string): Omit<NpyHeader, "data"> {
  const [, entries] = /^\{(.*)\}\s*$/s.exec(text) ?? complain(who, "the header must be a Python dictionary", text);
  const found = new Map<string, string>();
  let rest = entries!.trim();
  while (rest !== "") {
    const [whole, name, value] = ENTRY.exec(rest) ?? complain(who, "the header must hold plain entries", rest);
    if (found.has(name!)) complain(who, "entries of the header must be unique", name!);
    found.set(name!, value!);
    rest = rest.slice(whole.length).trim();
  }
  const names = [...found.keys()].sort().join();
  if (names !== "descr,fortran_order,shape")
    complain(who, "the header must tell descr, fortran_order and shape", names);
  const descr = descrOf(found.get("descr")!, who);
  return { descr, fortran: found.get("fortran_order") === "True", shape: shapeOf(found.get("shape")!, who) };
}

const ENTRY = /^'(descr|fortran_order|shape)'\s*:\s*('[^']*'|True|False|\([\d,\sL]*\))\s*(?:,|$)/;
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY, of the format's description
const LONGEST_HEADER = 65_536; // bytes; our choice, NumPy's own limit is 10,000 characters
export const HEADER_WITHIN = 12 + LONGEST_HEADER; // bytes from the beginning of a file
const MOST_AXES = 64; // of NumPy 2

function splitFile(bytes: Uint8Array, who: string): { text: string; data: Uint8Array } {
  const [major, minor] = [bytes[6], bytes[7]];
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte) || minor !== 0 || !major || major > 3) {
    complain(who, "it must begin as npy files of version 1.0, 2.0 or 3.0 do", `${bytes.length} bytes that do not`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [start, length] = major === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  if (length > Math.min(LONGEST_HEADER, bytes.length - start)) {
    complain(who, "the header must lie within the file", `a header of ${length} bytes`);
  }
  const text = new TextDecoder("latin1").decode(bytes.subarray(start, start + length));
  return { text, data: bytes.subarray(start + length) };
}

function descrOf(text: string, who: string): NpyHeader["descr"] {
  const descr = text.slice(1, -1);
  if (Object.hasOwn(NPY_BYTES, descr)) return descr as NpyHeader["descr"];
  return fail({
    who,
    must: `descr must be one of ${Object.keys(NPY_BYTES).join(", ")}`,
    got: text,
    remedy: "Convert the arrays before saving, for example with a.astype('<f4'); lists of Python objects are not read.",
  });
}

function shapeOf(text: string, who: string): Shape {
  const extents = text
    .slice(1, -1)
    .split(",")
    .map((extent) => extent.trim())
    .filter((extent, i, all) => extent !== "" || i < all.length - 1);
  const shape = extents.map((extent) => (/^\d+L?$/.test(extent) ? Number.parseInt(extent, 10) : Number.NaN));
  if (
    !text.startsWith("(") ||
    shape.length > MOST_AXES ||
    shape.some((n) => !Number.isSafeInteger(n)) ||
    !Number.isSafeInteger(8 * sizeOf(shape))
  ) {
    complain(who, `shape must be a tuple of at most ${MOST_AXES} whole numbers, with a size below 2^53 bytes`, text);
  }
  return shape;
}

function complain(who: string, must: string, got: string): never {
  const told = got.length > 80 ? `${got.slice(0, 80)}…` : got; // 80: fits a terminal line
  return fail({
    who,
    must,
    got: told,
    remedy: "The file is damaged or is no npy file: write it again with numpy.save.",
  });
}
