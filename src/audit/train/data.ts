import { type LabelledImages, takeBatch } from "../../data/index.ts";
import type { Batch } from "../../fl/index.ts";
import { row, stack } from "../../tensor/index.ts";
import { fail, type Key, permutation } from "../../util/index.ts";
import { type ImageSource, openImages } from "../open-images.ts";
import { completeSpec } from "../spec.ts";
import type { TrainSpec } from "./spec.ts";

/** Images to train on, from one or several files, numbered through. */
export interface TrainingData {
  readonly labels: readonly number[];
  readonly classNames: readonly string[];
  /** [C,H,W] */
  readonly imageShape: readonly [number, number, number];
  /** Where the images come from, in words. */
  readonly source: string;
  take(indices: readonly number[]): Promise<Batch>;
}

/**
 * The images of a spec, in memory; several files or folders are one set.
 *
 * Throws FedleakError when something is missing or damaged, or the parts differ in their classes or the size of their images.
 */
export async function openTrainingData({
  name,
  paths,
  size,
}: Pick<TrainSpec["data"], "name" | "paths" | "size">): Promise<TrainingData> {
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice !== undefined) {
    fail({
      who: "train data.paths",
      must: "each must be there once, or images would be trained on and measured at once",
      got: `"${twice}" twice`,
      remedy: "Name each of them once.",
    });
  }
  const parts: ImageSource[] = [];
  for (const path of paths.length === 0 ? [null] : paths) {
    const source = await openImages(completeSpec({ data: { name, path, size } }).data);
    parts.push(name === "image-folder" ? await decoded(source) : source);
  }
  const first = await parts[0]!.take([0]);
  for (const part of parts.slice(1)) await checkAlike(first, part);
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, { labels }) => sum + labels.length, 0));
  const partOf = (index: number) => starts.findLastIndex((start) => start <= index);
  return {
    labels: parts.flatMap(({ labels }) => labels),
    classNames: first.classNames,
    imageShape: first.images.shape.slice(1) as [number, number, number],
    source: parts.map(({ source }) => source).join(" and "),
    take: async (indices) => {
      if (parts.length === 1) return parts[0]!.take(indices);
      const taken = await Promise.all(
        indices.map(async (index) => {
          const part = partOf(index);
          const { images, labels } = await parts[part]!.take([index - starts[part]!]);
          return { image: row(images, 0), label: labels[0]! };
        }),
      );
      return { images: stack(taken.map(({ image }) => image)), labels: taken.map(({ label }) => label) };
    },
  };
}

/** The indices of the public split and of the rest, both ascending: round(share · count) images, at least one in each. */
export function publicSplit(count: number, share: number, key: Key): { open: number[]; closed: number[] } {
  if (count < 2) {
    fail({
      who: "train data",
      must: "there must be an image to train on and another to measure the accuracy",
      got: `${count}`,
      remedy: "Use more images.",
    });
  }
  const size = Math.min(count - 1, Math.max(1, Math.round(share * count)));
  const order = permutation(key, count);
  const ascending = (indices: number[]) => indices.sort((a, b) => a - b);
  return { open: ascending(order.slice(0, size)), closed: ascending(order.slice(size)) };
}

/** Every image of a folder is decoded once and kept. */
async function decoded(source: ImageSource): Promise<ImageSource> {
  const images = await source.take([...source.labels.keys()]);
  return { ...source, take: async (indices) => takeBatch(images, indices) };
}

async function checkAlike(first: LabelledImages, part: ImageSource): Promise<void> {
  const other = await part.take([0]);
  const told = ({ images, classNames }: LabelledImages) =>
    `${images.shape.slice(1).join("×")}, ${classNames.join(" ")}`;
  if (told(first) !== told(other)) {
    fail({
      who: `train data ${part.source}`,
      must: `size and classes must be those of ${first.source} (${told(first)})`,
      got: told(other),
      remedy: "Train on parts of one data set.",
    });
  }
}
