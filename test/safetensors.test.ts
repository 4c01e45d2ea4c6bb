import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  float32,
  float64,
  int64,
  readSafetensors,
  type Tensor,
  tensor,
  writeSafetensors,
} from "../src/tensor/index.ts";
import { FedleakError } from "../src/util/index.ts";
import { requireShared } from "./shared.ts";

const EVERY_DTYPE = {
  flag: tensor("bool", [3], Uint8Array.of(1, 0, 1)),
  w: float32([2, 3], [1.5, -0, 3e-45, Number.NaN, Number.POSITIVE_INFINITY, 0.1]),
  "layer1.0.conv1.weight": float64([1, 2], [Math.PI, -1e308]),
  y: int64([2], [-5, 2 ** 53]),
  index: tensor("int32", [2], Int32Array.of(-(2 ** 31), 7)),
  pixels: tensor("uint8", [1, 1, 4], Uint8Array.of(0, 1, 254, 255)),
  scalar: float32([], [42]),
  none: float32([0, 4], []),
  'a "quoted" näme\\': float32([1], [1]),
};

test("writing and reading give the same tensors, of every dtype, in the same order, and the metadata", () => {
  const read = readSafetensors(writeSafetensors(EVERY_DTYPE, { model: "lenet", seed: "7" }), "f");
  expect(read.tensors).toEqual(EVERY_DTYPE);
  expect(Object.keys(read.tensors)).toEqual(Object.keys(EVERY_DTYPE));
  expect(read.metadata).toEqual({ model: "lenet", seed: "7" });
  expect(Object.is(read.tensors.w!.data[1], -0)).toBe(true);
});

test("every dtype is written under its own code, aligned to its element size, after a header padded to 8 bytes", () => {
  const bytes = writeSafetensors(EVERY_DTYPE);
  const { header, start } = headerOf(bytes);
  expect(start % 8).toBe(0);
  expect(Object.fromEntries(Object.entries(header).map(([name, { dtype }]) => [name, dtype]))).toMatchObject({
    flag: "BOOL",
    w: "F32",
    "layer1.0.conv1.weight": "F64",
    y: "I64",
    index: "I32",
    pixels: "U8",
  });
  for (const [name, { data_offsets }] of Object.entries(header)) {
    expect(data_offsets[0] % EVERY_DTYPE[name as keyof typeof EVERY_DTYPE].data.BYTES_PER_ELEMENT).toBe(0);
  }
});

test("unaligned data and bytes in the middle of a larger buffer are read right", () => {
  const bytes = file({ a: entry("U8", [1], 0, 1), b: entry("F64", [1], 1, 9) }, [7, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
  const inside = new Uint8Array(bytes.length + 8).subarray(3, 3 + bytes.length);
  inside.set(bytes);
  for (const b of [bytes, inside, Buffer.from(bytes)]) {
    expect(readSafetensors(b, "f").tensors).toEqual({
      a: tensor("uint8", [1], Uint8Array.of(7)),
      b: float64([1], [1]),
    });
  }
});

test("half floats and bfloat16 are widened to float32 exactly", () => {
  const halves = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x3555, 0x8000, 0x7c00, 0xfc00, 0x7e01];
  const values = [1, -2, 65504, 2 ** -24, 2 ** -14, 0.333251953125, -0, Infinity, -Infinity, NaN];
  const half = readSafetensors(file({ h: entry("F16", [10], 0, 20) }, u16(halves)), "f").tensors.h!;
  expect(half).toEqual(float32([10], values));

  const brain = readSafetensors(file({ h: entry("BF16", [4], 0, 8) }, u16([0x3f80, 0xc049, 0x7f80, 0x0001])), "f");
  expect(brain.tensors.h).toEqual(float32([4], [1, -3.140625, Infinity, 2 ** -133]));
});

test("names that mean something to JavaScript objects stay plain names", () => {
  const bytes = raw('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', [9]);
  const { tensors } = readSafetensors(bytes, "f");
  expect(Object.keys(tensors)).toEqual(["__proto__"]);
  expect(readSafetensors(writeSafetensors(tensors), "f").tensors).toEqual(tensors);
});

const F32 = (shape: readonly number[], begin: number, end: number) => entry("F32", shape, begin, end);
test.each<[string, Uint8Array, string | RegExp]>([
  ["too short", Uint8Array.of(1, 2), "8 bytes of header length; got 2 bytes"],
  ["header past the end", Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 123), "at most 1, what the file holds; got 9"],
  ["absurd header length", new Uint8Array(16).fill(255), "got 18446744073709551615"],
  ["empty header", raw("", []), "an empty header"],
  ["not an object", raw("[1]", []), "begins with {; got byte 91"],
  ["space before the object", raw(" {}", []), "begins with {; got byte 32"],
  ["not JSON", raw('{"a":', []), "must be a JSON object"],
  ["a name not in UTF-8", raw(Buffer.from(`{"\xff":${oneByte()}}`, "latin1"), [1]), "must be a JSON object"],
  ["doubled name", raw(`{"a":${oneByte()},"\\u0061":${oneByte()}}`, [1]), 'unique; got "a" twice'],
  ["doubled field", raw('{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', [1]), '"dtype" twice'],
  ["unknown dtype", file({ a: entry("F8_E4M3", [1], 0, 1) }, [1]), /dtype of tensor "a" .* got "F8_E4M3"/],
  ["inherited dtype", file({ a: entry("toString", [1], 0, 1) }, [1]), 'got "toString"'],
  ["no dtype", raw('{"a":null}', []), 'dtype of tensor "a"'],
  ["negative extent", file({ a: F32([-1], 0, 4) }, 4), 'shape of tensor "a"'],
  ["fractional extent", file({ a: F32([0.5], 0, 2) }, 2), 'shape of tensor "a"'],
  ["shape not a list", raw('{"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}}', [1]), "list whole extents"],
  ["size overflows", file({ a: F32([2 ** 40, 2 ** 40], 0, 4) }, 4), "below 2^53 bytes"],
  ["one offset", raw('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0]}}', []), 'data_offsets of tensor "a"'],
  ["size and shape differ", file({ a: F32([2], 0, 4) }, 4), '"a" (F32 [2]) must take 8 bytes; got 4'],
  ["offsets backwards", file({ a: F32([0], 4, 0) }, 4), "must take 0 bytes; got -4"],
  ["hole", file({ a: F32([1], 0, 4), b: F32([1], 8, 12) }, 12), 'tensor "b" must begin at byte 4'],
  ["hole at the start", file({ a: F32([1], 4, 8) }, 8), "begin at byte 0"],
  ["overlap", file({ a: F32([2], 0, 8), b: F32([1], 4, 8) }, 8), "got byte 4, an overlap"],
  ["data cut short", file({ a: F32([2], 0, 8) }, 7), 'tensor "a" must end within the 7 bytes'],
  ["trailing bytes", file({ a: F32([1], 0, 4) }, 6), "got 2 bytes more"],
  ["data without tensors", file({}, 1), "got 1 bytes more"],
  ["metadata not text", raw('{"__metadata__":{"epoch":3}}', []), "must map text to text"],
  ["metadata null", raw('{"__metadata__":null}', []), "must map text to text"],
  ["bool that is neither", file({ a: entry("BOOL", [2], 0, 2) }, [1, 2]), '"a" of dtype BOOL'],
])("refuses: %s", (_, bytes, message) => {
  const read = () => readSafetensors(bytes, "model.safetensors");
  expect(read).toThrow(FedleakError);
  expect(read).toThrow(message);
  expect(read).toThrow(/^safetensors model.safetensors: /);
});

test("refuses to write a tensor whose data do not fit its shape or dtype, and the reserved name", () => {
  const data = Float32Array.of(1, 2);
  expect(() => writeSafetensors({ w: { dtype: "float32", shape: [3], data } })).toThrow('tensor "w" (float32 [3])');
  expect(() => writeSafetensors({ w: { dtype: "float64", shape: [2], data: data as never } })).toThrow("8 bytes");
  expect(() => writeSafetensors({ __metadata__: float32([1], [1]) })).toThrow("reserved");
});

test("the golden files of an independent writer are read, and survive a round trip bit for bit", (c) => {
  const folder = requireShared(c, "golden");
  const files = readdirSync(folder).filter((f) => f.endsWith(".safetensors"));
  expect(files.length).toBeGreaterThan(0);
  for (const f of files) {
    const { tensors, metadata } = readSafetensors(readFileSync(join(folder, f)), f);
    const [x, y, logits] = [tensors.x!, tensors.y!, tensors.logits!];
    expect(x.dtype).toBe("float32");
    expect(y.dtype).toBe("int64");
    expect(x.data.every((v) => v >= 0 && v <= 1)).toBe(true);
    expect(y.shape).toEqual([x.shape[0]]);
    expect(logits.shape[0]).toBe(x.shape[0]);
    expect(y.data.every((v) => Number(v) < logits.shape[1]!)).toBe(true);
    expect(Object.keys(metadata)).toContain("model");
    for (const name of Object.keys(tensors).filter((n) => n.startsWith("param."))) {
      expect(tensors[name.replace("param.", "grad.")]!.shape).toEqual(tensors[name]!.shape);
    }
    const again = readSafetensors(writeSafetensors(tensors, metadata), f);
    expect(again.metadata).toEqual(metadata);
    for (const [name, t] of Object.entries(tensors)) {
      expect({ ...again.tensors[name], data: 0 }).toEqual({ ...t, data: 0 });
      expect(bytesOf(again.tensors[name]!).equals(bytesOf(t))).toBe(true);
    }
  }
});

test("a golden tensor has the values its file holds at its offsets", (c) => {
  const bytes = readFileSync(join(requireShared(c, "golden"), "lenet-sigmoid.safetensors"));
  const { header, start } = headerOf(bytes);
  const { tensors } = readSafetensors(bytes, "lenet");
  const at = new DataView(bytes.buffer, bytes.byteOffset + start);
  for (const name of ["x", "dist.total", "logits"]) {
    const [begin] = header[name]!.data_offsets;
    tensors[name]!.data.forEach((v, i) => {
      if (v !== at.getFloat32(begin + 4 * i, true)) expect.fail(`${name}[${i}]`);
    });
  }
});

type Entry = { dtype: string; shape: readonly number[]; data_offsets: readonly [number, number] };

function entry(dtype: string, shape: readonly number[], begin: number, end: number): Entry {
  return { dtype, shape, data_offsets: [begin, end] };
}

function oneByte(): string {
  return JSON.stringify(entry("U8", [1], 0, 1));
}

function file(header: Record<string, Entry>, data: readonly number[] | number): Uint8Array {
  return raw(JSON.stringify(header), data);
}

/** u64 length · header · data (given, or that many zero bytes), without any padding. */
function raw(header: string | Uint8Array, data: readonly number[] | number): Uint8Array {
  const json = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const length = new Uint8Array(8);
  new DataView(length.buffer).setUint32(0, json.length, true);
  return Uint8Array.of(...length, ...json, ...(typeof data === "number" ? new Uint8Array(data) : data));
}

function headerOf(bytes: Uint8Array): { header: Record<string, Entry>; start: number } {
  const start = 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))), start };
}

function bytesOf({ data }: Tensor): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function u16(values: readonly number[]): number[] {
  return values.flatMap((v) => [v & 255, v >> 8]);
}
