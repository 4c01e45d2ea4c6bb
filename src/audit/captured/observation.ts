import {
  batchNormCounts,
  type Capability,
  type ChannelStatistics,
  type LocalSchedule,
  type Observation,
  observe,
  statisticsSeen,
} from "../../fl/index.ts";
import { fail } from "../../util/index.ts";
import type { CapturedUpdate } from "./read.ts";

/**
 * A captured update as an attack sees it: the averaged gradient, at the weights handed out.
 *
 * The batch is that of all local steps, S·B images, or as many as the client has when it repeats them: their mean gradient
 * is what was captured. BatchNorm's batch statistics follow from running statistics that were sent. Granted is what the
 * manifest tells, `batchSize` overrules it, and `beyond` is what the server is given beside: labels, public data.
 * Throws FedleakError when a parameter has no gradient.
 * Source: METHODS for several steps. Differs (our choice): images that occur in several epochs count once.
 */
export function observationOf(
  captured: CapturedUpdate,
  batchSize = imagesOf(captured),
  beyond: { readonly labels?: readonly number[] | undefined; readonly publicData?: boolean } = {},
): Observation {
  const { manifest, model, before, estimate, buffers } = captured;
  const missing = model.params.filter(({ name }) => !Object.hasOwn(estimate.update, name));
  if (missing.length > 0) {
    fail({
      who: `update ${captured.folder}`,
      must: "an attack needs the gradient of every parameter",
      got: `none of ${missing.map(({ name }) => name).join(", ")}`,
      remedy: "Capture the whole update, or name a model without these.",
    });
  }
  const local = scheduleOf(captured);
  const statistics = batchSize === undefined ? {} : statisticsOf(captured, batchSize);
  const granted: Capability[] = [
    ...(batchSize === undefined ? [] : (["batch-size"] as const)),
    ...(Object.keys(statistics).length === 0 ? [] : (["bn-statistics"] as const)),
    ...(local ? (["local-schedule"] as const) : []),
    ...(beyond.labels ? (["labels"] as const) : []),
    ...(beyond.publicData ? (["public-data"] as const) : []),
  ];
  return observe(
    {
      modelName: model.name,
      mode: manifest.batchNorm,
      global: before,
      update: estimate.update,
      ...(local && { local }),
      batchSize: batchSize ?? 0, // not granted then
      labels: beyond.labels ?? [], // nobody has captured them: granted only where they are given
      statistics,
      buffers: { ...before.buffers, ...buffers },
      loss: Number.NaN,
    },
    granted,
  );
}

/** The local steps, where they are plain SGD on images of their own, as an attack can simulate them, and their size is known. */
function scheduleOf({ manifest }: CapturedUpdate): LocalSchedule | undefined {
  const { sent, localSteps, learningRate, optimiser, batchSize, images } = manifest;
  const { name, momentum, weightDecay, clip } = optimiser;
  const plain = name === "sgd" && momentum === 0 && weightDecay === 0 && clip === null;
  const repeats = images !== null && batchSize !== null && images < batchSize * localSteps;
  if (sent === "gradient" || localSteps < 2 || learningRate === null || !plain || repeats) return undefined;
  return { steps: localSteps, learningRate };
}

/** The number of images an attack looks for; undefined: not known. */
export function imagesOf({ manifest: { batchSize, localSteps, images } }: CapturedUpdate): number | undefined {
  if (batchSize === null) return undefined;
  return Math.min(batchSize * localSteps, images ?? Number.POSITIVE_INFINITY);
}

/** What each BatchNorm saw over the S steps (`statisticsSeen`). Empty where running statistics were not sent or not moved (eval mode). */
export function statisticsOf(
  { manifest, model, before, buffers }: Pick<CapturedUpdate, "manifest" | "model" | "before" | "buffers">,
  batchSize: number,
): Record<string, ChannelStatistics> {
  if (manifest.batchNorm === "eval" || Object.keys(buffers).length === 0) return {};
  const counts = batchNormCounts(model, manifest.batchSize ?? batchSize);
  return statisticsSeen(before.buffers, buffers, counts, manifest.localSteps);
}
