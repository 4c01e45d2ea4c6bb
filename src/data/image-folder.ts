import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { sizeOf, type Tensor, tensor } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { checkSize, type DecodeOptions, decodeImage } from "./decode-image.ts";
import type { LabelledImages } from "./types.ts";

/** The images of a folder by path, not yet decoded. */
export interface ImageListing {
  readonly paths: readonly string[];
  /** One index into `classNames` for each path. */
  readonly labels: readonly number[];
  readonly classNames: readonly string[];
  readonly source: string;
}

/** All images of DIR/<class>/<image>, decoded: `readImages(await listImageFolder(dir), options)`. */
export async function readImageFolder(dir: string, options: DecodeOptions = {}): Promise<LabelledImages> {
  return readImages(await listImageFolder(dir), options);
}

/**
 * The classes and images of DIR/<class>/<image> without opening an image.
 *
 * Classes are the folders of DIR sorted by name (by UTF-16 code, so the same everywhere); images are the files ending in
 * .png, .jpg, .jpeg or .webp, in upper or lower case, sorted by name. Names that begin with a dot are passed over.
 *
 * @throws FedleakError when DIR is missing, is not a folder, has no class, or a class has no image.
 */
export async function listImageFolder(dir: string): Promise<ImageListing> {
  const layout = "Lay the images out as DIR/<class>/<image>.";
  const classNames = (await list(dir)).filter(({ folder }) => folder).map(({ name }) => name);
  if (classNames.length === 0) {
    fail({ who: `image folder ${dir}`, must: "it must hold one folder for each class", got: "none", remedy: layout });
  }
  const classes = await Promise.all(classNames.map((name) => list(join(dir, name))));
  const files = classes.map((entries, label) => {
    const images = entries.filter((entry) => !entry.folder && EXTENSIONS.has(extname(entry.name).toLowerCase()));
    if (images.length === 0) {
      fail({
        who: `image folder ${dir}`,
        must: `class "${classNames[label]}" must have at least one image (${[...EXTENSIONS].join(", ")})`,
        got: entries.length === 0 ? "an empty folder" : `${entries.length} other files`,
        remedy: `Add images to it or remove the folder. ${layout}`,
      });
    }
    return images.map((entry) => join(dir, classNames[label]!, entry.name));
  });
  return {
    paths: files.flat(),
    labels: files.flatMap((paths, label) => paths.map(() => label)),
    classNames,
    source: `image folder ${basename(dir)}`,
  };
}

/**
 * The images of a listing, or only those at `indices` of it, in that order: a batch costs its own images only.
 *
 * result: images [M,C,H,W], labels as in the listing, all its class names
 *
 * @throws FedleakError when an image is damaged, or, without `size`, when two sizes occur.
 */
export async function readImages(
  listing: ImageListing,
  options: DecodeOptions = {},
  indices: readonly number[] = listing.paths.map((_, i) => i),
): Promise<LabelledImages> {
  checkSize(options.size);
  const wrong = indices.find((i) => listing.paths[i] === undefined);
  if (wrong !== undefined || indices.length === 0) {
    fail({
      who: "readImages",
      must: `indices must be one or more whole numbers from 0 to ${listing.paths.length - 1}`,
      got: wrong === undefined ? "none" : `${wrong}`,
      remedy: `Choose among the ${listing.paths.length} images of ${listing.source}.`,
    });
  }
  const paths = indices.map((i) => listing.paths[i]!);
  const first = await decodeImage(paths[0]!, options);
  const pixels = allocate(paths.length, first);
  pixels.set(first.data);
  for (let start = 1; start < paths.length; start += AT_ONCE) {
    const some = paths.slice(start, start + AT_ONCE);
    const images = await Promise.all(some.map((path) => decodeImage(path, options)));
    images.forEach((image, i) => {
      checkSameSize(image, first, some[i]!, paths[0]!);
      pixels.set(image.data, (start + i) * image.data.length);
    });
  }
  return {
    images: tensor("float32", [paths.length, ...first.shape], pixels),
    labels: indices.map((i) => listing.labels[i]!),
    classNames: listing.classNames,
    source: listing.source,
  };
}

const EXTENSIONS: ReadonlySet<string> = new Set([".png", ".jpg", ".jpeg", ".webp"]);
const AT_ONCE = 16; // images decoded side by side; our choice, more than the threads of libvips' pool and little memory

interface Entry {
  readonly name: string;
  readonly folder: boolean;
}

/** The entries of a folder sorted by name; links count as what they lead to. */
async function list(dir: string): Promise<Entry[]> {
  try {
    const entries = (await readdir(dir, { withFileTypes: true })).filter(({ name }) => !name.startsWith("."));
    const told = entries.map(async (entry) => ({
      name: entry.name,
      folder: entry.isSymbolicLink() ? await leadsToFolder(join(dir, entry.name)) : entry.isDirectory(),
    }));
    return (await Promise.all(told)).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    return fail({
      who: `image folder ${dir}`,
      must: "it must be a folder that can be read",
      got: REASONS[(cause as NodeJS.ErrnoException).code ?? ""] ?? `"${(cause as Error).message}"`,
      remedy: "Check the path and its permissions.",
      cause,
    });
  }
}

/** A link that leads nowhere is no folder; as an image it will be complained about when it is read. */
async function leadsToFolder(link: string): Promise<boolean> {
  return stat(link).then(
    (target) => target.isDirectory(),
    () => false,
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such folder",
  ENOTDIR: "a file",
  EACCES: "a folder without read permission",
};

function allocate(count: number, image: Tensor<"float32">): Float32Array {
  const length = count * sizeOf(image.shape);
  try {
    return new Float32Array(length);
  } catch (cause) {
    return fail({
      who: "readImages",
      must: "the decoded images must fit in memory",
      got: `${count} images of [${image.shape.join(",")}], ${(length * 4) / 2 ** 30} GiB`,
      remedy: "Read fewer images, or pass --size to read them smaller.",
      cause,
    });
  }
}

function checkSameSize(image: Tensor, first: Tensor, path: string, firstPath: string): void {
  const [, height, width] = image.shape;
  const [, firstHeight, firstWidth] = first.shape;
  if (height !== firstHeight || width !== firstWidth) {
    fail({
      who: `image ${path}`,
      must: `all images must be of one size, ${firstWidth}×${firstHeight} as ${firstPath}`,
      got: `${width}×${height}`,
      remedy: "Pass --size to scale them to a common square.",
    });
  }
}
