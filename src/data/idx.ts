import { sizeOf, type Tensor, tensor } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { unitFromBytes } from "./pixels.ts";
import type { LabelledImages } from "./types.ts";

/** MNIST's classes. */
export const DIGITS: readonly string[] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** Bytes in idx format and how errors call the file they are from. */
export interface NamedBytes {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/**
 * Grey images and their labels from a pair of idx files, as MNIST and its kin (Fashion-MNIST, KMNIST) come.
 *
 * images: idx u8 [M,H,W] · labels: idx u8 [M], each < classNames.length · result: images [M,1,H,W]
 *
 * @throws FedleakError when a file is not exactly one idx array, the counts differ, or a label is out of range.
 */
export function parseMnist(images: NamedBytes, labels: NamedBytes, classNames = DIGITS): LabelledImages {
  const pixels = parseIdx(images, 3);
  const classes = parseIdx(labels, 1);
  const [count, height, width] = pixels.shape as [number, number, number];
  if (count !== classes.data.length) {
    fail({
      who: `idx ${labels.name}`,
      must: `there must be one label for each of the ${count} images of ${images.name}`,
      got: `${classes.data.length} labels`,
      remedy: "Pass images and labels of the same split.",
    });
  }
  if (pixels.data.length === 0) {
    fail({
      who: `idx ${images.name}`,
      must: "there must be at least one image of at least one pixel",
      got: `shape [${pixels.shape.join(",")}]`,
      remedy: "Pass a file with images.",
    });
  }
  const outside = classes.data.findIndex((label) => label >= classNames.length);
  if (outside >= 0) {
    fail({
      who: `idx ${labels.name}`,
      must: `labels must be 0 to ${classNames.length - 1}`,
      got: `${classes.data[outside]} at index ${outside}`,
      remedy: "Pass the names of all classes, or check that this is the labels file.",
    });
  }
  return {
    images: tensor("float32", [count, 1, height, width], unitFromBytes(pixels.data)),
    labels: [...classes.data],
    classNames,
    source: images.name,
  };
}

/**
 * The array in an idx file: 0, 0, type (8 = unsigned byte), rank, then rank extents as big-endian u32, then the elements.
 *
 * Source: the file format at the end of http://yann.lecun.com/exdb/mnist/
 * Differs: unsigned bytes only, which is all that image sets use.
 */
export function parseIdx({ bytes, name }: NamedBytes, rank: number): Tensor<"uint8"> {
  const who = `idx ${name}`;
  const remedy =
    rank === 3 ? "Pass an images file (idx3-ubyte), whole and unpacked." : "Pass a labels file (idx1-ubyte).";
  const start = 4 + 4 * rank;
  if (bytes.length < start || bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 8 || bytes[3] !== rank) {
    fail({
      who,
      must: `the file must begin with the bytes 0 0 8 ${rank} and ${rank} extents`,
      got: `${bytes.length} bytes that begin with ${[...bytes.subarray(0, 4)].join(" ")}`,
      remedy,
    });
  }
  const header = new DataView(bytes.buffer, bytes.byteOffset, start);
  const shape = Array.from({ length: rank }, (_, axis) => header.getUint32(4 + 4 * axis));
  if (bytes.length - start !== sizeOf(shape)) {
    fail({
      who,
      must: `shape [${shape.join(",")}] must be followed by ${sizeOf(shape)} bytes`,
      got: `${bytes.length - start}`,
      remedy: "The file is cut short or has something appended: fetch it again.",
    });
  }
  return tensor("uint8", shape, new Uint8Array(bytes.buffer, bytes.byteOffset + start, bytes.length - start));
}
