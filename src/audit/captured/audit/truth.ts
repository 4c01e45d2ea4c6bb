import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { type Column, listImageFolder, readBytes, readImages, readTable } from "../../../data/index.ts";
import { numbers, readSafetensors, type Tensor } from "../../../tensor/index.ts";
import { fail } from "../../../util/index.ts";
import { exists } from "../../run-folder.ts";

/** The private images of a captured update, for scoring; no attack is given them. */
export interface Truth {
  /** [M,C,H,W] in [0,1] */
  readonly images: Tensor<"float32">;
  /** One class an image; undefined where nothing says which class of the model it is. */
  readonly labels: readonly number[] | undefined;
  /** In words, for the ledger. */
  readonly source: string;
}

/** What the images must be like. */
export interface TruthFrame {
  /** [C,H,W] */
  readonly inputShape: readonly number[];
  readonly classes: number;
  /** As the manifest names them; may be empty. */
  readonly classNames: readonly string[];
  /** Where the data are rows of a table; undefined: images. */
  readonly columns?: readonly Column[] | undefined;
  /** Of a table: the column with the classes; null: they are not told. */
  readonly target?: string | null;
}

/**
 * The private images at `path`: the truth.safetensors that `fedleak train --capture` writes, a folder that holds it, a folder
 * of images, one of class folders, or the rows of a table as a CSV file with the manifest's columns.
 *
 * Class folders named as in the manifest, or by a number, are those classes. Where the manifest names none and there are as many
 * as the model has classes, they count from 0 in the order of their names; else their labels are not known. Images are scaled
 * to the model's size. Throws FedleakError when there are none, or they do not fit the model.
 */
export async function readTruth(path: string, frame: TruthFrame): Promise<Truth> {
  if (path.endsWith(".safetensors")) return fromFile(path, frame);
  if (isTable(path)) return fromTable(path, frame);
  const inside = join(path, TRUTH_FILE);
  if (await exists(inside)) return fromFile(inside, frame);
  return fromFolder(path, frame);
}

/** Whether a path names the rows of a table, by its ending; commas, tabs and the like are told apart by what is in it. */
export const isTable = (path: string): boolean => /\.(csv|tsv|txt)(\.gz)?$/i.test(path);

const TRUTH_FILE = "truth.safetensors"; // as train/capture-files.ts writes it

async function fromFile(path: string, { inputShape }: TruthFrame): Promise<Truth> {
  const { images, labels } = readSafetensors(await readBytes(path), path).tensors;
  if (images?.dtype !== "float32" || images.shape.slice(1).join() !== inputShape.join()) {
    return fail({
      who: `truth ${path}`,
      must: `it must hold images [M,${inputShape.join(",")}] in float32`,
      got: images ? `${images.dtype} [${images.shape.join(",")}]` : "no images",
      remedy: "Pass the truth of this very update.",
    });
  }
  return {
    images: images as Tensor<"float32">,
    labels: labels && Array.from(numbers(labels)),
    source: basename(path),
  };
}

async function fromTable(path: string, { columns, target = null, classes, classNames }: TruthFrame): Promise<Truth> {
  if (columns === undefined) {
    return fail({
      who: `truth ${path}`,
      must: "a table can only be held against an update whose manifest states columns",
      got: "a manifest without them",
      remedy: "Write columns into manifest.json, or pass images.",
    });
  }
  const read = await readTable(path, { target, columns });
  const { labels, note } = labelsOf(path, target === null ? [] : read.classNames, read.labels, { classes, classNames });
  return { images: read.images, labels, source: `${read.labels.length} rows of ${basename(path)}${note}` };
}

async function fromFolder(path: string, { inputShape, classes, classNames }: TruthFrame): Promise<Truth> {
  const [channels, height, width] = inputShape;
  if (height !== width) {
    fail({
      who: `truth ${path}`,
      must: "images of a folder are scaled to a square",
      got: `a model of ${inputShape.join("×")}`,
      remedy: `Pass a ${TRUTH_FILE} instead.`,
    });
  }
  const options = { size: height!, channels: channels === 1 ? 1 : 3 } as const;
  const flat = await imagesDirectlyIn(path);
  if (flat.length > 0) {
    const listing = { paths: flat, labels: flat.map(() => 0), classNames: ["unknown"], source: basename(path) };
    const { images } = await readImages(listing, options);
    return { images, labels: undefined, source: `${flat.length} images of folder ${basename(path)}` };
  }
  const listing = await listImageFolder(path);
  const { images } = await readImages(listing, options);
  const { labels, note } = labelsOf(path, listing.classNames, listing.labels, { classes, classNames });
  return { images, labels, source: `${listing.source}${note}` };
}

/** The labels as classes of the model, or none and why. `found`: names of the classes that the labels count. */
function labelsOf(
  path: string,
  found: readonly string[],
  labels: readonly number[],
  { classes, classNames }: Pick<TruthFrame, "classes" | "classNames">,
): { readonly labels: readonly number[] | undefined; readonly note: string } {
  if (found.length === 0) return { labels: undefined, note: "" };
  const told = found.map((name) => classOf(name, classNames));
  const inOrder = classNames.length === 0 && found.length === classes;
  const known = told.every((label) => label !== undefined) ? told : inOrder ? found.map((_, i) => i) : undefined;
  if (!known) return { labels: undefined, note: ", their classes not known: classNames of the manifest would tell" };
  const beyond = known.find((label) => label! >= classes);
  if (beyond === undefined) return { labels: labels.map((label) => known[label]!), note: "" };
  return fail({
    who: `truth ${path}`,
    must: `the model has ${classes} classes`,
    got: `class ${beyond}`,
    remedy: "Name the classes by their number, or write classNames into the manifest.",
  });
}

function classOf(name: string, classNames: readonly string[]): number | undefined {
  const named = classNames.indexOf(name);
  if (named >= 0) return named;
  const numbered = classNames.some((one) => DIGITS.test(one)); // then digits are names, and this is none of them
  return DIGITS.test(name) && !numbered ? Number(name) : undefined;
}

const DIGITS = /^\d+$/;

const ENDINGS: ReadonlySet<string> = new Set([".png", ".jpg", ".jpeg", ".webp"]); // what decodes, as in class folders

async function imagesDirectlyIn(path: string): Promise<string[]> {
  if (!(await exists(path)) || !(await stat(path)).isDirectory()) {
    return fail({
      who: `truth ${path}`,
      must: `it must be a folder of images, a ${TRUTH_FILE}, or a table's rows as .csv`,
      got: (await exists(path)) ? "another file" : "no such path",
      remedy: "Check the path.",
    });
  }
  const names = (await readdir(path)).filter(
    (name) => !name.startsWith(".") && ENDINGS.has(extname(name).toLowerCase()),
  );
  return names.sort().map((name) => join(path, name));
}
