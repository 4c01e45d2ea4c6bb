import { basename } from "node:path";
import { parseCifar10, parseCifar100 } from "./cifar.ts";
import { type NamedBytes, parseMnist } from "./idx.ts";
import { readUnpacked } from "./read-bytes.ts";
import { parseTable, type TableOptions } from "./table.ts";
import type { LabelledImages } from "./types.ts";

/** MNIST, or another set in its format with its own class names, from a pair of idx files, gzipped or not. */
export async function readMnist(
  imagesPath: string,
  labelsPath: string,
  classNames?: readonly string[],
): Promise<LabelledImages> {
  const [images, labels] = await Promise.all([readNamed(imagesPath), readNamed(labelsPath)]);
  return parseMnist(images, labels, classNames);
}

/** CIFAR-10, or another set of its layout with its own class names, from one binary file, gzipped or not. */
export async function readCifar10(path: string, classNames?: readonly string[]): Promise<LabelledImages> {
  return parseCifar10(await readNamed(path), classNames);
}

/** CIFAR-100 with its fine labels from one binary file, gzipped or not. */
export async function readCifar100(path: string): Promise<LabelledImages> {
  return parseCifar100(await readNamed(path));
}

/** A table from a CSV file, gzipped or not. */
export async function readTable(path: string, options: TableOptions): Promise<LabelledImages> {
  return parseTable(await readNamed(path), options);
}

async function readNamed(path: string): Promise<NamedBytes> {
  return { bytes: await readUnpacked(path), name: basename(path) };
}
