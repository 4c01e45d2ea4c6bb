import type { KnownDefence } from "../../../fl/index.ts";
import type { Node } from "../../../graph/index.ts";
import type { Model } from "../../../nn/index.ts";
import { adapt } from "./adapt.ts";
import { adaptedDistance, type DistanceSettings } from "./adapted-distance.ts";

/** The gradients of candidate images beside those observed, and where they come from. */
export interface Comparison {
  readonly model: Model;
  readonly settings: DistanceSettings;
  readonly defences: readonly KnownDefence[];
  /** The global weights, g′ and ĝ: one node a parameter, in the model's order. */
  readonly weights: readonly Node[];
  readonly candidates: readonly Node[];
  readonly targets: readonly Node[];
  /** [B,C,H,W] */
  readonly x: Node;
  /** The gradient of image b's own loss. */
  imageGradient(b: number): readonly Node[];
}

/**
 * The distance of what candidate images would have sent through known defences from what was observed: a scalar ≥ 0.
 *
 * Without defences it is the attack's own distance.
 */
export function adaptiveDistance(of: Comparison): Node {
  const { model, settings, defences, weights, candidates, targets, x, imageGradient } = of;
  const batchSize = x.shape[0]!;
  const { match } = adapt(candidates, targets, defences, {
    names: model.params.map(({ name }) => name),
    weights,
    head: model.head.weight,
    batchSize,
    imageGradients: clippable(batchSize)
      ? () => (batchSize === 1 ? [candidates] : Array.from({ length: batchSize }, (_, b) => imageGradient(b)))
      : undefined,
  });
  return adaptedDistance(match, x, settings);
}

/** Whether the gradients of a batch are computed image by image where a defence changes those. */
export function clippable(batchSize: number): boolean {
  return batchSize <= MOST_IMAGES;
}

const MOST_IMAGES = 8; // our choice: the program holds the network once an image, and takes that long to compile
