import { fail, type Key, key, permutation, split } from "../../util/index.ts";
import type { CheckpointOwner } from "../checkpoint.ts";
import { canonicalJson, fingerprint } from "../fingerprint.ts";
import { openTrainingData, type TrainingData } from "../train/data.ts";
import type { PriorSpec } from "./spec.ts";
import { type PriorNetworks, priorNetworks } from "./training-graph.ts";

/** Everything that a prior is trained from. */
export interface PriorTraining {
  readonly spec: PriorSpec;
  readonly data: TrainingData;
  readonly networks: PriorNetworks;
  /** Indices of the images that are trained on, and of those that are kept for measuring. */
  readonly seen: readonly number[];
  readonly heldOut: readonly number[];
  /** Of all images and labels. */
  readonly imagesPrint: string;
  readonly owner: CheckpointOwner;
}

/** What the random draws of a training are for; each has its own key. */
export function priorKey(spec: PriorSpec, purpose: "weights" | "held-out" | "batches" | "noise" | "measure"): Key {
  return split(key(spec.seed), purpose);
}

const MOST_HELD_OUT = 500; // our choice: a standard error of the mean PSNR of some 0.1 dB
const HELD_OUT_SHARE = 0.1; // our choice
const SCALABLE: readonly string[] = ["embedded", "image-folder"];

/** Reads the images and builds the networks. Throws FedleakError when images are missing, damaged or of other sizes. */
export async function preparePrior(spec: PriorSpec): Promise<PriorTraining> {
  const { name, paths, size } = spec.data;
  const data = await openTrainingData({ name, paths, size: SCALABLE.includes(name) ? size : null });
  const [, height, width] = data.imageShape;
  if (size !== null && (height !== size || width !== size)) {
    fail({
      who: "train-prior",
      must: `images of ${name} have their own size, ${width}×${height}`,
      got: `--size ${size}`,
      remedy: "Leave --size away, or use an image folder.",
    });
  }
  const count = data.labels.length;
  if (count < 2) fail({ who: "train-prior", must: "it needs 2 images or more", got: `${count}`, remedy: "Add some." });
  const order = permutation(priorKey(spec, "held-out"), count);
  const held = Math.max(1, Math.min(MOST_HELD_OUT, Math.floor(count * HELD_OUT_SHARE)));
  const classes = spec.classConditional ? data.classNames.length : 0;
  const imagesPrint = await printOf(data);
  return {
    spec,
    data,
    networks: priorNetworks(spec, data.imageShape, classes),
    seen: order.slice(held),
    heldOut: order.slice(0, held),
    imagesPrint,
    owner: { spec: await fingerprint(canonicalJson(spec)), inputs: imagesPrint },
  };
}

const AT_ONCE = 1000; // images in one hash, so that no second copy of the set is made; our choice

async function printOf(data: TrainingData): Promise<string> {
  const prints: string[] = [];
  for (let start = 0; start < data.labels.length; start += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, data.labels.length - start) }, (_, i) => start + i);
    prints.push(await fingerprint((await data.take(some)).images));
  }
  return fingerprint(prints.join(), data.labels.join());
}
