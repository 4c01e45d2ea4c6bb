import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  float32,
  float64,
  int64,
  readNpy,
  readNpz,
  sizeOf,
  type Tensor,
  tensor,
  writeNpy,
  writeNpz,
} from "../../src/tensor/index.ts";
import { FedleakError } from "../../src/util/index.ts";
import { readOrRefuse } from "../fuzz/claims.ts";

const RUNS = Number(process.env.FEDLEAK_FUZZ_RUNS ?? 60); // a case of npz takes milliseconds

const TENSORS: Readonly<Record<string, Tensor>> = {
  arr_0: float32([2, 3], [1, -2, 3.5, 4, 5, 6]),
  arr_1: float64([], [0.1]),
  arr_2: int64([2], [-1, 2 ** 53]),
  "layer1.0.weight": tensor("int32", [0, 4], new Int32Array(0)),
  mask: tensor("bool", [1, 1, 3], Uint8Array.of(1, 0, 1)),
  bytes: tensor("uint8", [3], Uint8Array.of(0, 128, 255)),
};

/** An npy file as NumPy writes it, from the text of its header. */
function npy(header: string, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(`${header}\n`);
  return Uint8Array.of(0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, text.length, 0, ...text, ...data);
}

const sixFloats = new Uint8Array(new Float32Array([0, 1, 2, 3, 4, 5]).buffer);

describe("npy", () => {
  test.each(Object.entries(TENSORS))("%s survives a round trip", (_, t) => {
    expect(readNpy(writeNpy(t), "f")).toEqual(t);
    expect((writeNpy(t).length - t.data.byteLength) % 64).toBe(0); // as the format asks
  });

  test("an array in Fortran order is turned", () => {
    const header = "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2, 3), }";
    expect(Array.from(readNpy(npy(header, sixFloats), "f").data as Float32Array)).toEqual([0, 2, 4, 1, 3, 5]);
  });

  test("half precision is widened", () => {
    const header = "{'descr': '<f2', 'fortran_order': False, 'shape': (2,)}";
    const halves = new Uint8Array(Uint16Array.of(0x3c00, 0xc000).buffer); // 1 and −2
    expect(readNpy(npy(header, halves), "f")).toEqual(float32([2], [1, -2]));
  });

  test.each([
    ["{'descr': '|O', 'fortran_order': False, 'shape': (6,), }", /descr must be one of/],
    ["{'descr': '>f4', 'fortran_order': False, 'shape': (6,), }", /astype/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }", /28 bytes must follow/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'shape': (6,)}", /unique/],
    ["{'descr': '<f4', 'shape': (6,), }", /must tell/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999), }", /2\^53/],
    ["[]", /dictionary/],
  ])("%s is refused", (header, complaint) => {
    expect(() => readNpy(npy(header, sixFloats), "f")).toThrow(complaint);
    expect(() => readNpy(npy(header, sixFloats), "f")).toThrow(FedleakError);
  });

  test("cut, flipped and random bytes are refused or read as what they are", () => {
    const whole = writeNpy(TENSORS.arr_0!);
    const cut = fc.nat({ max: whole.length - 1 }).map((end) => whole.subarray(0, end));
    const flipped = fc.nat({ max: 8 * whole.length - 1 }).map((bit) => {
      const bytes = whole.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      return bytes;
    });
    const headed = fc.string({ maxLength: 90 }).map((text) => npy(text, sixFloats));
    fc.assert(
      fc.property(fc.oneof(cut, flipped, headed, fc.uint8Array({ maxLength: 64 })), (bytes) => {
        const read = readOrRefuse(() => readNpy(bytes, "f"));
        if (!read) return;
        expect(read.data.length).toBe(sizeOf(read.shape));
        expect(read.data.byteLength).toBeLessThanOrEqual(2 * bytes.length);
      }),
      { numRuns: 30 * RUNS },
    );
  });
});

describe("npz", () => {
  test("any tensors survive a round trip, in order and byte for byte the same file", async () => {
    const bytes = await writeNpz(TENSORS);
    const read = await readNpz(bytes, "f");
    expect(read).toEqual(TENSORS);
    expect(Object.keys(read)).toEqual(Object.keys(TENSORS));
    expect(await writeNpz(TENSORS)).toEqual(bytes);
  });

  test("a file of numpy.savez_compressed: 64-bit sizes before the data, deflated", async () => {
    const read = await readNpz(Buffer.from(FROM_PYTHON, "base64"), "f");
    expect(read.arr_0).toEqual(float32([2, 3], [0, 1, 2, 3, 4, 5]));
    expect(read.zeros).toEqual(float64([4000], new Array(4000).fill(0)));
  });

  test("a file that is cut anywhere, or has a bit flipped in its data, is refused", { timeout: 60_000 }, async () => {
    const whole = await writeNpz({ a: TENSORS.arr_0!, b: TENSORS.arr_2! });
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.length - 1 }), async (end) => {
        await expect(readNpz(whole.subarray(0, end), "f")).rejects.toThrow(FedleakError);
      }),
      { numRuns: RUNS },
    );
    const inside = Buffer.from(whole).indexOf("NUMPY");
    const bytes = whole.slice();
    bytes[inside + 128]! ^= 1; // in the numbers of the first array, stored as they are
    await expect(readNpz(bytes, "f")).rejects.toThrow(/whole zip file/);
  });

  test("flipped and random bytes are refused or read consistently", { timeout: 60_000 }, async () => {
    const whole = await writeNpz({ a: TENSORS.arr_0!, b: TENSORS.arr_2! });
    const flipped = fc.array(fc.nat({ max: 8 * whole.length - 1 }), { minLength: 1, maxLength: 3 }).map((bits) => {
      const bytes = whole.slice();
      for (const bit of bits) bytes[bit >> 3]! ^= 1 << (bit & 7);
      return bytes;
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(flipped, fc.uint8Array({ maxLength: 99 })), async (bytes) => {
        const read = await readNpz(bytes, "f").catch((error) => {
          expect(error).toBeInstanceOf(FedleakError);
          return {};
        });
        for (const t of Object.values(read)) expect(t.data.length).toBe(sizeOf(t.shape));
      }),
      { numRuns: RUNS },
    );
  });

  test("a directory that claims gigabytes costs no memory", async () => {
    const bytes = Buffer.from(await writeNpz({ a: TENSORS.arr_0! }));
    const directory = bytes.indexOf(Uint8Array.of(0x50, 0x4b, 1, 2)); // of the zip format: the central directory
    bytes.writeUInt32LE(0xfffffff0, directory + 24); // uncompressed size
    const before = process.memoryUsage().arrayBuffers;
    await expect(readNpz(bytes, "f")).rejects.toThrow(/npz f: .*got/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20); // 4 GB were claimed
  });

  test("what is no npy file is named", async () => {
    await expect(readNpz(new Uint8Array(), "f")).rejects.toThrow(FedleakError);
    const other = Buffer.from(await writeNpz({ a: TENSORS.arr_0! }));
    for (let at = other.indexOf("a.npy"); at >= 0; at = other.indexOf("a.npy", at)) other.write("a.txt", at);
    await expect(readNpz(other, "f")).rejects.toThrow(/nothing else; got "a\.txt"/);
  });
});

/** Two arrays as NumPy stores them: deflated, with 64-bit sizes. */
const FROM_PYTHON = [
  "UEsDBC0AAAAIAAAAIQBP6QAq//////////8JABQAYXJyXzAubnB5AQAQAJgAAAAAAAAAVQAAAAAAAACb7BfqGxDJyFDGUK2eklqc",
  "XKRupaBuk2airqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgrGmjoKtQpkAy4GMGiwBxIOQATEDUC8wAEAUEsDBC0A",
  "AAAIAAAAIQAoWwx5//////////8JABQAemVyb3MubnB5AQAQAIB9AAAAAAAAggAAAAAAAADtyKEKwlAAQNFZ/YrXnsLCgkHEbHNY",
  "DCYZ7g2DOHkTi/gV/rAT/ALzOe3ed73f7g6T4lE8Y5uGU46rENfdMpYhdn2+5+Z67HObvn/TXIY0/uHc3NLYs0VVVeW8DK/wr2kB",
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA8PMBUEsBAi0DLQAAAAgAAAAhAE/pACpVAAAAmAAAAAkAAAAAAAAAAAAAAIAB",
  "AAAAAGFycl8wLm5weVBLAQItAy0AAAAIAAAAIQAoWwx5ggAAAIB9AAAJAAAAAAAAAAAAAACAAZAAAAB6ZXJvcy5ucHlQSwUGAAAA",
  "AAIAAgBuAAAATQEAAAAA",
].join("");
