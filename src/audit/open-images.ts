import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  embeddedImages,
  type ImageListing,
  type LabelledImages,
  listImageFolder,
  readCifar10,
  readCifar100,
  readImages,
  readMnist,
  readTable,
  type TableAbout,
  takeBatch,
} from "../data/index.ts";
import { fail } from "../util/index.ts";
import { readColumns } from "./columns-file.ts";
import { exists } from "./run-folder.ts";
import type { RunSpec } from "./spec.ts";

/** A data set from which batches are taken by index. */
export interface ImageSource {
  /** One class index an image. */
  readonly labels: readonly number[];
  readonly classNames: readonly string[];
  /** Where the images come from, in words. */
  readonly source: string;
  /** Of a table: what its numbers stand for. */
  readonly table?: TableAbout;
  take(indices: readonly number[]): Promise<LabelledImages>;
}

/**
 * The data set of a spec, its files checked.
 *
 * Of an image folder every image is decoded once, so that a damaged one is found whether it is drawn or not; of a folder
 * with more than CHECKED_IMAGES only those that are drawn.
 * Throws FedleakError when something is missing, damaged or of several sizes.
 */
export async function openImages({ name, path, size, target, columns }: RunSpec["data"]): Promise<ImageSource> {
  const scaled = size === null ? {} : { size };
  if (name === "embedded") return inMemory(await embeddedImages(scaled));
  if (name === "image-folder") return fromFolder(await listImageFolder(path!), scaled);
  if (name === "cifar10") return inMemory(await readCifar10(path!));
  if (name === "cifar100") return inMemory(await readCifar100(path!));
  if (name === "table") {
    const declared = columns === null ? undefined : await readColumns(columns);
    return inMemory(await readTable(path!, { target: target!, columns: declared }));
  }
  return inMemory(await readMnist(...(await mnistFiles(path!))));
}

const CHECKED_IMAGES = 2000; // our choice: a few seconds of decoding at most
const AT_ONCE = 64; // images held at once while a folder is checked; our choice

function inMemory(images: LabelledImages): ImageSource {
  return { ...images, take: async (indices) => takeBatch(images, indices) };
}

async function fromFolder(listing: ImageListing, scaled: { readonly size?: number }): Promise<ImageSource> {
  const count = listing.paths.length;
  if (count <= CHECKED_IMAGES) {
    for (let start = 0; start < count; start += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, count - start) }, (_, i) => start + i);
      await readImages(listing, scaled, [0, ...some]); // 0: all must be of the first one's size
    }
  }
  return { ...listing, take: (indices) => readImages(listing, scaled, indices) };
}

/** The images file and the labels file of MNIST from the path of the images file, or of the folder that holds both. */
async function mnistFiles(path: string): Promise<[images: string, labels: string]> {
  const folder = (await exists(path)) && (await stat(path)).isDirectory();
  const candidates = folder ? MNIST_NAMES.map((name) => join(path, name)) : [path];
  for (const images of candidates) {
    const labels = join(
      dirname(images),
      basename(images).replace("images-idx3", "labels-idx1").replace("images.idx3", "labels.idx1"),
    );
    if (labels !== images && (await exists(images)) && (await exists(labels))) return [images, labels];
  }
  return fail({
    who: `mnist ${path}`,
    must: folder
      ? `the folder must hold a pair of idx files, ${MNIST_NAMES[0]} and train-labels-idx1-ubyte for one`
      : "it must be an images file (…images-idx3-ubyte) with the labels file (…labels-idx1-ubyte) beside it",
    got: folder ? "none" : (await exists(path)) ? "no labels file" : "no such file",
    remedy: "Check the path; both files may be packed with gzip.",
  });
}

const MNIST_NAMES = ["train-images-idx3-ubyte", "t10k-images-idx3-ubyte"].flatMap((name) => [name, `${name}.gz`]);
