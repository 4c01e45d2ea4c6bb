import { sizeOf, tensor } from "../tensor/index.ts";
import { fail, type Key, permutation } from "../util/index.ts";
import type { LabelledImages } from "./types.ts";

export interface Draw {
  /** B, the number of images. */
  readonly batch: number;
  readonly key: Key;
  /** Take different classes while they last, then again one of each; without it every image is as likely. */
  readonly onePerClass?: boolean;
}

/** The images at `indices` of the first axis, in that order: [M,C,H,W] → [B,C,H,W]. Throws when an index is out of range. */
export function takeBatch(data: LabelledImages, indices: readonly number[]): LabelledImages {
  const [count, ...rest] = data.images.shape as [number, number, number, number];
  const wrong = indices.find((i) => !Number.isInteger(i) || i < 0 || i >= count);
  if (wrong !== undefined || indices.length === 0) {
    fail({
      who: "takeBatch",
      must: `indices must be one or more whole numbers from 0 to ${count - 1}`,
      got: wrong === undefined ? "none" : `${wrong}`,
      remedy: `Choose among the ${count} images of ${data.source}.`,
    });
  }
  const size = sizeOf(rest);
  const pixels = new Float32Array(indices.length * size);
  indices.forEach((from, to) => {
    pixels.set(data.images.data.subarray(from * size, (from + 1) * size), to * size);
  });
  return {
    ...data,
    images: tensor("float32", [indices.length, ...rest], pixels),
    labels: indices.map((i) => data.labels[i]!),
  };
}

/** A batch drawn by `drawIndices`: the same key gives the same images in the same order. */
export function drawBatch(data: LabelledImages, draw: Draw): LabelledImages {
  return takeBatch(data, drawIndices(data.labels, draw));
}

/**
 * Indices of B different images, drawn uniformly without replacement from the key.
 *
 * With `onePerClass` the images are dealt in rounds, in an order drawn from the key: each round has one image of every
 * class that still has one. B ≤ (number of classes) gives B different labels.
 *
 * labels: one for each of the M images · result: B distinct indices below M
 *
 * @throws FedleakError when B is not a whole number from 1 to M.
 */
export function drawIndices(labels: readonly number[], { batch, key, onePerClass = false }: Draw): number[] {
  if (!Number.isInteger(batch) || batch < 1 || batch > labels.length) {
    fail({
      who: "drawBatch",
      must: `batch must be a whole number from 1 to ${labels.length}, the number of images`,
      got: `${batch}`,
      remedy: "Choose a smaller batch or a larger data set.",
    });
  }
  const order = permutation(key, labels.length);
  return (onePerClass ? inRounds(order, labels) : order).slice(0, batch);
}

/** `order` sorted, stably, by how many images of the same class come before: 0 of its class, then 1, … */
function inRounds(order: readonly number[], labels: readonly number[]): number[] {
  const seen = new Map<number, number>();
  const dealt = order.map((index) => {
    const round = seen.get(labels[index]!) ?? 0;
    seen.set(labels[index]!, round + 1);
    return { index, round };
  });
  return dealt.sort((a, b) => a.round - b.round).map(({ index }) => index);
}
