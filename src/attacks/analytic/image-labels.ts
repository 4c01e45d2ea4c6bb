import { Matrix, pseudoInverse } from "ml-matrix";
import type { Observation } from "../../fl/index.ts";
import { input, softmax } from "../../graph/index.ts";
import { inputsFor, type Mode, type Model } from "../../nn/index.ts";
import { compile, type Device } from "../../runtime/index.ts";
import type { Tensor, Tensors } from "../../tensor/index.ts";
import { inferLabels } from "../labels/infer.ts";

/** What images are looked at with: the handed-out model, on a device. */
export interface Sight {
  readonly model: Model;
  readonly mode: Mode;
  readonly observation: Observation;
  readonly device: Device;
  readonly threads: number;
}

/** Labels before any image is known. */
export interface FirstLabels {
  /** B classes. */
  readonly labels: readonly number[];
  /** In words, for the ledger. */
  readonly about: string;
}

/**
 * The labels granted, or those that the sign of the head's gradient tells.
 *
 * One image: the one negative entry of db = p − y, exact. More, or no bias: the lowest row sums of dW, each class once.
 * Source: Zhao et al., "iDLG: improved deep leakage from gradients", 2020.
 */
export function firstLabels(model: Model, { labels, update, global }: Observation, batchSize: number): FirstLabels {
  if (labels) return { labels, about: "true labels (granted)" };
  const { head, classes } = model;
  if (batchSize > 1 || head.bias === undefined) {
    return inferLabels("idlg", { head, update, global, batchSize, classes });
  }
  const { data } = update[head.bias]!;
  return {
    labels: [data.indexOf(data.reduce((least, v) => Math.min(least, v)))],
    about: `the one negative entry in the gradient of ${head.bias}`,
  };
}

/**
 * The label of each image of a batch that is known whole, from the head's gradient: no guess, where features differ.
 *
 * With features F [B,D] and probabilities P [B,N] of the images, the head's gradient is G = (P − Y)ᵀ·F/B, so the labels
 * are Y = P − B·(G·F⁺)ᵀ, and an image's label is the largest entry of its row. images [B,C,H,W]; result: B classes.
 * Source: our own, from the gradient of softmax and cross-entropy.
 */
export async function labelsOfImages(
  images: Tensor<"float32">,
  { model, mode, observation, device, threads }: Sight,
): Promise<number[]> {
  const { features, logits } = model.forward({
    params: inputsFor(model.params, PARAM),
    buffers: inputsFor(model.buffers, BUFFER),
    x: input(IMAGES, images.shape),
    mode,
  });
  const { params, buffers } = observation.global;
  const bake = { ...renamed(PARAM, params), ...renamed(BUFFER, buffers) };
  const program = await compile({ features, probabilities: softmax(logits) }, { bake, device, threads });
  try {
    const seen = await program.run({ [IMAGES]: images });
    const gradient = matrixOf(observation.update[model.head.weight]!);
    const share = gradient.mmul(pseudoInverse(matrixOf(seen.features!))).transpose(); // [B,N]
    const labels = matrixOf(seen.probabilities!).sub(share.mul(images.shape[0]!));
    return Array.from({ length: labels.rows }, (_, b) => labels.maxRowIndex(b)[1]!);
  } finally {
    await program.release();
  }
}

const [IMAGES, PARAM, BUFFER] = ["images", "param.", "buffer."] as const;

function matrixOf({ shape, data }: Tensor<"float32">): Matrix {
  return Matrix.from1DArray(shape[0]!, shape[1]!, data);
}

function renamed(prefix: string, tensors: Tensors<"float32">): Tensors<"float32"> {
  return Object.fromEntries(Object.entries(tensors).map(([name, t]) => [prefix + name, t]));
}
