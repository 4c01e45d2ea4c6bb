import fc from "fast-check";
import { expect, test } from "vitest";
import {
  BYTES_PER_ELEMENT,
  type DType,
  readSafetensors,
  type Shape,
  sizeOf,
  type Tensor,
  type Tensors,
  tensor,
  writeSafetensors,
} from "../../src/tensor/index.ts";
import { readOrRefuse } from "./claims.ts";

const shapes = fc.array(fc.nat({ max: 3 }), { maxLength: 3 });

/** A tensor of any dtype and small shape, of any bits whatever. */
const tensors: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...(Object.keys(BYTES_PER_ELEMENT) as DType[])), shapes)
  .chain(([dtype, shape]) => {
    const length = sizeOf(shape) * BYTES_PER_ELEMENT[dtype];
    return fc
      .uint8Array({ minLength: length, maxLength: length, max: dtype === "bool" ? 1 : 255 })
      .map((bytes) => fromBytes(dtype, shape, bytes));
  });
const files = fc.tuple(
  fc.dictionary(fc.string(), tensors, { maxKeys: 5 }),
  fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
);

test("any tensors under any names survive a round trip, bit for bit", () => {
  fc.assert(
    fc.property(files, ([written, metadata]) => {
      const read = readSafetensors(writeSafetensors(written, metadata), "f");
      expect(bitsOf(read.tensors)).toEqual(bitsOf(written));
      expect(read.metadata).toEqual({ ...metadata });
    }),
    { numRuns: 500 },
  );
});

test("every file cut short, or with something appended, is refused", () => {
  fc.assert(
    fc.property(files, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 9 }), ([written, metadata], cut, rest) => {
      const bytes = writeSafetensors(written, metadata);
      expect(readOrRefuse(() => readSafetensors(bytes.subarray(0, cut % bytes.length), "f"))).toBeUndefined();
      expect(readOrRefuse(() => readSafetensors(Uint8Array.of(...bytes, ...rest), "f"))).toBeUndefined();
    }),
    { numRuns: 500 },
  );
});

test("a file with flipped bits is refused or read as tensors that cover its data exactly", () => {
  fc.assert(
    fc.property(files, fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), ([written, metadata], flips) => {
      const bytes = writeSafetensors(written, metadata);
      for (const flip of flips) bytes[Math.floor(flip / 8) % bytes.length]! ^= 1 << (flip % 8);
      const read = readOrRefuse(() => readSafetensors(bytes, "f"));
      if (read) expectConsistent(read.tensors, bytes);
    }),
    { numRuns: 2000 },
  );
});

test("random bytes, bare or after a plausible header, are refused or read consistently", () => {
  const bare = fc.uint8Array({ maxLength: 64 });
  const headed = fc.tuple(fc.json(), fc.uint8Array({ maxLength: 16 })).map(([json, data]) => assemble(json, data));
  fc.assert(
    fc.property(fc.oneof(bare, headed), (bytes) => {
      const read = readOrRefuse(() => readSafetensors(bytes, "f"));
      if (read) expectConsistent(read.tensors, bytes);
    }),
    { numRuns: 2000 },
  );
});

test("headers with any offsets are read exactly when the tensors tile the data", () => {
  const entry = fc.record({ extent: fc.nat({ max: 3 }), begin: fc.nat({ max: 6 }), length: fc.nat({ max: 3 }) });
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 3 }), fc.nat({ max: 6 }), (entries, sizeBytes) => {
      const header = entries.map(({ extent, begin, length }, i) => [
        `t${i}`,
        { dtype: "U8", shape: [extent], data_offsets: [begin, begin + length] },
      ]);
      const bytes = assemble(JSON.stringify(Object.fromEntries(header)), new Uint8Array(sizeBytes));
      const read = readOrRefuse(() => readSafetensors(bytes, "f"));

      // The rule again, as a count of owners for each byte; an empty tensor lies at an edge between tensors.
      const owners = new Array<number>(20).fill(0);
      for (const { begin, length } of entries) for (let i = begin; i < begin + length; i++) owners[i]!++;
      const tiled = owners.every((count, i) => count === (i < sizeBytes ? 1 : 0));
      const inside = (p: number) => entries.some(({ begin, length }) => begin < p && p < begin + length);
      const edges = entries.every(({ begin, length }) => length > 0 || (begin <= sizeBytes && !inside(begin)));
      const sizes = entries.every(({ extent, length }) => extent === length);
      expect(read !== undefined).toBe(tiled && edges && sizes);
      if (read) accepted++;
    }),
    { numRuns: 5000 },
  );
  expect(accepted).toBeGreaterThan(10);
});

/** Sizes agree with shapes, and all bytes after the header belong to a tensor. */
function expectConsistent(read: Tensors, bytes: Uint8Array): void {
  let sizeBytes = 0;
  for (const { dtype, shape, data } of Object.values(read)) {
    expect(data.length).toBe(sizeOf(shape));
    expect(data.BYTES_PER_ELEMENT).toBe(BYTES_PER_ELEMENT[dtype]);
    sizeBytes += data.byteLength;
  }
  const start = 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = new TextDecoder().decode(bytes.subarray(8, start));
  if (!header.includes("F16")) expect(sizeBytes).toBe(bytes.length - start); // F16 and BF16 grow as they are widened
  expect(bitsOf(readSafetensors(writeSafetensors(read), "f").tensors)).toEqual(bitsOf(read));
}

function fromBytes(dtype: DType, shape: Shape, bytes: Uint8Array): Tensor {
  const { buffer } = Uint8Array.from(bytes);
  switch (dtype) {
    case "float32":
      return tensor(dtype, shape, new Float32Array(buffer));
    case "float64":
      return tensor(dtype, shape, new Float64Array(buffer));
    case "int64":
      return tensor(dtype, shape, new BigInt64Array(buffer));
    case "int32":
      return tensor(dtype, shape, new Int32Array(buffer));
    default:
      return tensor(dtype, shape, new Uint8Array(buffer));
  }
}

function bitsOf(all: Tensors): unknown {
  return Object.entries(all)
    .map(([name, { dtype, shape, data }]) => [
      name,
      dtype,
      shape,
      Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex"),
    ])
    .sort();
}

function assemble(header: string, data: Uint8Array): Uint8Array {
  const json = new TextEncoder().encode(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setUint32(0, json.length, true);
  return Uint8Array.of(...length, ...json, ...data);
}
