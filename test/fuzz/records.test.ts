import fc from "fast-check";
import { expect, test } from "vitest";
import { type LabelledImages, parseCifar10, parseCifar100, parseMnist } from "../../src/data/index.ts";
import { sizeOf } from "../../src/tensor/index.ts";
import { readOrRefuse } from "./claims.ts";

const named = (bytes: Uint8Array) => ({ bytes, name: "f" });

/** A valid pair of idx files with 1 to 4 images of 1 to 3 × 1 to 3 pixels. */
const idxPairs = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }))
  .chain(([m, h, w]) =>
    fc.record({
      shape: fc.constant([m, 1, h, w]),
      pixels: fc.uint8Array({ minLength: m * h * w, maxLength: m * h * w }),
      labels: fc.uint8Array({ minLength: m, maxLength: m, max: 9 }),
    }),
  )
  .map(({ shape: [m, one, h, w], pixels, labels }) => ({
    shape: [m, one, h, w],
    images: Uint8Array.of(0, 0, 8, 3, 0, 0, 0, m!, 0, 0, 0, h!, 0, 0, 0, w!, ...pixels),
    pixels,
    labels: Uint8Array.of(0, 0, 8, 1, 0, 0, 0, m!, ...labels),
  }));

test("every valid idx pair is read; the same cut short or with something appended is refused", () => {
  fc.assert(
    fc.property(idxPairs, fc.nat(), ({ shape, images, pixels, labels }, cut) => {
      const data = parseMnist(named(images), named(labels));
      expect(data.images.shape).toEqual(shape);
      expect([...data.images.data].map((v) => v * 255)).toEqual([...pixels].map((v) => Math.fround(v / 255) * 255));
      expect(data.labels).toEqual([...labels.subarray(8)]);
      for (const [i, l] of [
        [images.subarray(0, cut % images.length), labels],
        [images, labels.subarray(0, cut % labels.length)],
        [Uint8Array.of(...images, 0), labels],
        [images, Uint8Array.of(...labels, 0)],
      ] as const) {
        expect(readOrRefuse(() => parseMnist(named(i), named(l)))).toBeUndefined();
      }
    }),
    { numRuns: 500 },
  );
});

test("idx files with flipped bits, and random bytes after a right beginning, are refused or read consistently", () => {
  const extent = fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 2 ** 32 - 1 }));
  const heads = fc
    .tuple(fc.array(extent, { minLength: 3, maxLength: 3 }), fc.uint8Array({ maxLength: 30 }))
    .map(([extents, rest]) => Uint8Array.of(0, 0, 8, 3, ...extents.flatMap(bigEndian), ...rest));
  fc.assert(
    fc.property(idxPairs, fc.array(fc.nat(), { minLength: 1, maxLength: 2 }), heads, (pair, flips, head) => {
      const flipped = flip(pair.images, flips);
      for (const images of [flipped, head]) {
        expectConsistent(readOrRefuse(() => parseMnist(named(images), named(pair.labels))));
      }
      expectConsistent(readOrRefuse(() => parseMnist(named(pair.images), named(flip(pair.labels, flips)))));
    }),
    { numRuns: 1000 },
  );
});

test("bytes are CIFAR records exactly when whole records of labels in range", () => {
  let accepted = 0;
  const label = fc.oneof({ weight: 4, arbitrary: fc.nat({ max: 9 }) }, fc.nat({ max: 255 }));
  const whole = fc.array(fc.tuple(label, label, fc.nat({ max: 255 })), { maxLength: 3 });
  fc.assert(
    fc.property(fc.boolean(), whole, fc.integer({ min: -2, max: 2 }), (fine, records, extra) => {
      const size = fine ? 3074 : 3073;
      const exact = extra % 2 === 0; // more often whole than not
      const bytes = new Uint8Array(Math.max(0, records.length * size + (exact ? 0 : extra)));
      records.forEach(([first, second, pixel], i) => {
        const record = bytes.subarray(i * size, (i + 1) * size).fill(pixel);
        record.set((fine ? [first, second] : [first]).slice(0, record.length));
      });
      const data = readOrRefuse(() => (fine ? parseCifar100 : parseCifar10)(named(bytes)));
      const inRange = records.every(([a, b]) => (fine ? a < 20 && b < 100 : a < 10));
      expect(data !== undefined).toBe(exact && records.length > 0 && inRange);
      expectConsistent(data);
      if (!data) return;
      accepted++;
      expect(data.labels).toEqual(records.map(([a, b]) => (fine ? b : a)));
      records.forEach(([, , pixel], m) => {
        const image = data.images.data.subarray(m * 3072, (m + 1) * 3072);
        expect(image.every((v) => v === Math.fround(pixel / 255))).toBe(true);
      });
    }),
    { numRuns: 500 },
  );
  expect(accepted).toBeGreaterThan(10);
});

function expectConsistent(data: LabelledImages | undefined): void {
  if (!data) return;
  expect(data.images.data.length).toBe(sizeOf(data.images.shape));
  expect(data.images.data.length).toBeGreaterThan(0);
  expect(data.labels.length).toBe(data.images.shape[0]);
  expect(data.labels.every((label) => label < data.classNames.length)).toBe(true);
  expect(data.images.data.every((v) => v >= 0 && v <= 1)).toBe(true);
}

function flip(bytes: Uint8Array, flips: readonly number[]): Uint8Array {
  const out = Uint8Array.from(bytes);
  for (const at of flips) out[Math.floor(at / 8) % out.length]! ^= 1 << (at % 8);
  return out;
}

function bigEndian(value: number): number[] {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
}
