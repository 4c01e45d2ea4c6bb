import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import {
  CIFAR10_CLASSES,
  CIFAR100_CLASSES,
  parseCifar10,
  parseCifar100,
  parseMnist,
  readCifar10,
  readCifar100,
  readMnist,
} from "../../src/data/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { FedleakError } from "../../src/util/index.ts";
import { requireShared } from "../shared.ts";

const named = (bytes: readonly number[]) => ({ bytes: Uint8Array.from(bytes), name: "file" });
const IMAGES = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 51, 255, 102, 153, 204];
const LABELS = [0, 0, 8, 1, 0, 0, 0, 2, 9, 3];

test("a pair of idx files becomes images [M,1,H,W] in [0,1] with their labels", () => {
  const mnist = parseMnist(named(IMAGES), named(LABELS));
  expect(mnist.images).toEqual(float32([2, 1, 1, 3], [0, 0.2, 1, 0.4, 0.6, 0.8]));
  expect(mnist.labels).toEqual([9, 3]);
  expect(mnist.classNames[9]).toBe("9");
});

test.each<[string, readonly number[], readonly number[], string]>([
  ["labels for images", LABELS, LABELS, "begin with the bytes 0 0 8 3 and 3 extents; got 10 bytes"],
  ["images for labels", IMAGES, IMAGES, "begin with the bytes 0 0 8 1"],
  ["floats", [0, 0, 13, ...IMAGES.slice(3)], LABELS, "begin with the bytes 0 0 8 3"],
  ["empty", [], LABELS, "got 0 bytes"],
  ["cut short", IMAGES.slice(0, -1), LABELS, "shape [2,1,3] must be followed by 6 bytes; got 5"],
  ["something appended", [...IMAGES, 0], LABELS, "followed by 6 bytes; got 7"],
  ["fewer labels", IMAGES, [0, 0, 8, 1, 0, 0, 0, 1, 9], "one label for each of the 2 images of file; got 1 labels"],
  ["no images", [0, 0, 8, 3, ...new Array(12).fill(0)], [0, 0, 8, 1, 0, 0, 0, 0], "at least one image"],
  ["a label out of range", IMAGES, [...LABELS.slice(0, -1), 10], "labels must be 0 to 9; got 10 at index 1"],
])("idx refuses: %s", (_, images, labels, message) => {
  expect(() => parseMnist(named(images), named(labels))).toThrow(FedleakError);
  expect(() => parseMnist(named(images), named(labels))).toThrow(message);
});

/** A record whose red plane is 255, green 51 and blue 0, but for the very last byte, which is 102. */
const record = (...labels: number[]) => [
  ...labels,
  ...new Array(1024).fill(255),
  ...new Array(1024).fill(51),
  ...new Array(1023).fill(0),
  102,
];

test("CIFAR records become images [M,3,32,32], planes R, G, B, with their (fine) labels", () => {
  for (const data of [
    parseCifar10(named([...record(3), ...record(9)])),
    parseCifar100(named([...record(19, 3), ...record(0, 9)])),
  ]) {
    expect(data.images.shape).toEqual([2, 3, 32, 32]);
    expect(data.labels).toEqual([3, 9]);
    const at = (m: number, c: number, p: number) => data.images.data[(m * 3 + c) * 1024 + p];
    for (const m of [0, 1]) {
      expect([at(m, 0, 0), at(m, 0, 1023), at(m, 1, 0), at(m, 2, 0)]).toEqual([1, 1, Math.fround(0.2), 0]);
      expect(at(m, 2, 1023)).toBe(Math.fround(0.4));
    }
  }
});

test("CIFAR class names are the data set's, or the caller's", () => {
  expect(parseCifar10(named(record(3))).classNames[3]).toBe("cat");
  expect(parseCifar100(named(record(0, 99))).classNames[99]).toBe("worm");
  expect(parseCifar10(named(record(1)), ["0", "1"]).classNames).toEqual(["0", "1"]);
  expect(() => parseCifar10(named(record(2)), ["0", "1"])).toThrow("labels must be 0 to 1; got 2 in record 0");
});

test.each<[string, () => unknown, string]>([
  ["an empty file", () => parseCifar10(named([])), "positive multiple of 3073 bytes, one record; got 0 bytes"],
  ["CIFAR-100 as CIFAR-10", () => parseCifar10(named(record(0, 9))), "got 3074 bytes"],
  ["a file cut short", () => parseCifar100(named([1, 2, 3])), "multiple of 3074"],
  ["a label of 10", () => parseCifar10(named([...record(9), ...record(10)])), "0 to 9; got 10 in record 1"],
  ["a fine label of 100", () => parseCifar100(named(record(0, 100))), "0 to 99; got 100"],
  ["a coarse label of 20", () => parseCifar100(named(record(20, 0))), "0 to 19; got 20"],
])("CIFAR refuses %s", (_, parse, message) => {
  expect(parse).toThrow(FedleakError);
  expect(parse).toThrow(message);
});

test("files are read plain and gzipped alike; missing and damaged ones are named", async () => {
  const dir = mkdtempSync(join(tmpdir(), "fedleak-records-"));
  const write = (name: string, bytes: Uint8Array) => {
    writeFileSync(join(dir, name), bytes);
    return join(dir, name);
  };
  const cifar = Uint8Array.from(record(3));
  const packed = gzipSync(cifar);
  const plain = await readCifar10(write("a.bin", cifar));
  expect((await readCifar10(write("a.bin.gz", packed))).images).toEqual(plain.images);
  expect(plain.source).toBe("a.bin");

  const mnist = await readMnist(write("i", gzipSync(Uint8Array.from(IMAGES))), write("l", Uint8Array.from(LABELS)));
  expect(mnist.labels).toEqual([9, 3]);

  await expect(readCifar10(join(dir, "none"))).rejects.toThrow(/file .*none: it must be a file that can be read/);
  await expect(readCifar10(dir)).rejects.toThrow(FedleakError);
  await expect(readCifar10(write("cut.gz", packed.subarray(0, 20)))).rejects.toThrow(/gzip .*cut.gz: .* damaged/);
});

test("real MNIST has its ten thousand test digits", async (c) => {
  const dir = requireShared(c, "data/mnist");
  const { images, labels } = await readMnist(
    join(dir, "t10k-images-idx3-ubyte.gz"),
    join(dir, "t10k-labels-idx1-ubyte.gz"),
  );
  expect(images.shape).toEqual([10000, 1, 28, 28]);
  expect(labels.slice(0, 10)).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]); // the well-known first test digits
  expect(countsOf(labels, 10)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]); // the set's statistics
});

test("real CIFAR-10 has 200 test images a class", async (c) => {
  const { images, labels, classNames } = await readCifar10(requireShared(c, "data/cifar10/test.bin.gz"));
  expect(images.shape).toEqual([2000, 3, 32, 32]);
  expect(countsOf(labels, 10)).toEqual(new Array(10).fill(200));
  expect(classNames).toEqual(lines(requireShared(c, "data/cifar10/classes.txt")));
  // Mean and deviation per channel of CIFAR-10 are published as 0.4914 0.4822 0.4465 and 0.247 0.243 0.262 (training set).
  const means = [0, 1, 2].map((channel) => meanOf(images.data, channel));
  [0.4914, 0.4822, 0.4465].forEach((mean, channel) => {
    expect(Math.abs(means[channel]! - mean)).toBeLessThan(0.02); // 0.25 / √2000 images is 0.006, image means being correlated
  });
});

test("real CIFAR-100 has 15 images of each fine class, and SVHN reads as the same kind of records", async (c) => {
  const { images, labels } = await readCifar100(requireShared(c, "data/cifar100_1500.bin.gz"));
  expect(images.shape).toEqual([1500, 3, 32, 32]);
  expect(countsOf(labels, 100)).toEqual(new Array(100).fill(15));
  expect(CIFAR100_CLASSES).toEqual(lines(requireShared(c, "data/cifar100_classes.txt")));
  expect(CIFAR10_CLASSES).toHaveLength(10);

  const digits = Array.from({ length: 10 }, (_, i) => `${i}`);
  const svhn = await readCifar10(requireShared(c, "data/svhn_1040.bin.gz"), digits);
  expect(svhn.images.shape).toEqual([1040, 3, 32, 32]);
  expect(svhn.classNames).toEqual(digits);
});

function countsOf(labels: readonly number[], classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]!++;
  return counts;
}

function meanOf(data: Float32Array, channel: number): number {
  let sum = 0;
  for (let start = channel * 1024; start < data.length; start += 3072) {
    for (let p = 0; p < 1024; p++) sum += data[start + p]!;
  }
  return (sum * 3) / data.length;
}

function lines(path: string): string[] {
  return readFileSync(path, "utf8").trim().split(/\s+/);
}
