import { tensor } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { CIFAR10_CLASSES, CIFAR100_CLASSES } from "./cifar-classes.ts";
import type { NamedBytes } from "./idx.ts";
import { unitFromBytes } from "./pixels.ts";
import type { LabelledImages } from "./types.ts";

/**
 * Images and labels from CIFAR-10's binary records: 1 byte label · 3072 bytes, the planes R, G, B of 32×32.
 *
 * result: images [M,3,32,32]; SVHN and others in the same layout are read with their own class names.
 *
 * @throws FedleakError when the size is not a positive multiple of 3073 bytes or a label is out of range.
 * Source: "Binary version" at https://www.cs.toronto.edu/~kriz/cifar.html
 */
export function parseCifar10(file: NamedBytes, classNames = CIFAR10_CLASSES): LabelledImages {
  return parseRecords(file, [], classNames);
}

/**
 * Images and fine labels from CIFAR-100's binary records: coarse label · fine label · 3072 bytes as in CIFAR-10.
 *
 * result: images [M,3,32,32], classes the 100 fine ones
 *
 * @throws FedleakError when the size is not a positive multiple of 3074 bytes or a label is out of range.
 * Source: "Binary version" at https://www.cs.toronto.edu/~kriz/cifar.html
 */
export function parseCifar100(file: NamedBytes, classNames = CIFAR100_CLASSES): LabelledImages {
  return parseRecords(file, [COARSE_CLASSES], classNames);
}

const COARSE_CLASSES = 20; // CIFAR-100 groups its classes in 20; their names are not needed
const PIXEL_BYTES = 3 * 32 * 32;

/** `skipped`: the number of classes of each label byte before the one that counts. */
function parseRecords(
  { bytes, name }: NamedBytes,
  skipped: readonly number[],
  classNames: readonly string[],
): LabelledImages {
  const limits = [...skipped, classNames.length];
  const record = limits.length + PIXEL_BYTES;
  const count = bytes.length / record;
  if (!Number.isInteger(count) || count === 0) {
    fail({
      who: `cifar ${name}`,
      must: `the size must be a positive multiple of ${record} bytes, one record`,
      got: `${bytes.length} bytes`,
      remedy: 'Pass one .bin file of the "binary version", unpacked from its archive, of the right CIFAR.',
    });
  }
  const pixels = new Uint8Array(count * PIXEL_BYTES);
  const labels: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = i * record;
    limits.forEach((limit, at) => {
      const label = bytes[start + at]!;
      if (label >= limit) {
        fail({
          who: `cifar ${name}`,
          must: `labels must be 0 to ${limit - 1}`,
          got: `${label} in record ${i}`,
          remedy: "Check that this is the right CIFAR and that the file is whole.",
        });
      }
    });
    labels.push(bytes[start + limits.length - 1]!);
    pixels.set(bytes.subarray(start + limits.length, start + record), i * PIXEL_BYTES);
  }
  return {
    images: tensor("float32", [count, 3, 32, 32], unitFromBytes(pixels)),
    labels,
    classNames,
    source: name,
  };
}
