import { drawIndices, type LabelledImages } from "../data/index.ts";
import type { Observation } from "../fl/index.ts";
import { sizeOf, tensor } from "../tensor/index.ts";
import { split, uniform } from "../util/index.ts";
import { observed, runKey, type Trial } from "./trial.ts";

/** What the server would see of another client, whose batch has nothing to do with the private one. */
export interface MismatchedObservation {
  readonly observation: Observation;
  /** In words: whose batch it is. */
  readonly about: string;
}

/**
 * The observation for the mismatched-gradient floor: same model, weights, grants and batch size, another batch.
 *
 * The other batch is drawn from the rest of the data; where the rest is too small, it is noise, U(0,1) per pixel, with
 * labels drawn uniformly (our choice).
 */
export async function mismatchedObservation(trial: Trial): Promise<MismatchedObservation> {
  const { batch, about } = await otherBatch(trial);
  const observation = await observed(trial.spec, {
    ...trial,
    batch,
    key: split(runKey(trial.spec, "mismatched"), "defence"),
  });
  await trial.programs.release();
  return { observation, about };
}

async function otherBatch({ spec, source, truth, indices }: Trial): Promise<{ batch: Batch; about: string }> {
  const k = runKey(spec, "mismatched");
  const taken = new Set(indices);
  const rest = source.labels.map((_, i) => i).filter((i) => !taken.has(i));
  const batchSize = truth.labels.length;
  if (rest.length < batchSize) return { batch: noise(truth, k), about: "noise, since the data has no other batch" };
  const labels = rest.map((i) => source.labels[i]!);
  const drawn = drawIndices(labels, { batch: batchSize, onePerClass: spec.data.draw === "one-per-class", key: k });
  return { batch: await source.take(drawn.map((i) => rest[i]!)), about: "other images of the same data" };
}

type Batch = Pick<LabelledImages, "images" | "labels">;

function noise({ images, labels, classNames }: LabelledImages, k: Parameters<typeof split>[0]): Batch {
  const pixels = Float32Array.from(uniform(split(k, "pixels"), sizeOf(images.shape)));
  const draws = uniform(split(k, "labels"), labels.length);
  return {
    images: tensor("float32", images.shape, pixels),
    labels: Array.from(draws, (draw) => Math.floor(draw * classNames.length)),
  };
}
