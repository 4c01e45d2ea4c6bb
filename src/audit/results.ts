import type { AttackState } from "../attacks/index.ts";
import { floors, type Images, scoreLabels, scoreReconstruction } from "../metrics/index.ts";
import type { RunResults } from "./record-schema.ts";
import type { Trial } from "./trial.ts";

/** What an attack gave: images [B,C,H,W] in [0,1], one label each, and the cost. */
export interface Reconstruction {
  readonly images: Images;
  readonly labels: readonly number[];
  readonly state: AttackState;
  readonly seconds: number;
}

/** The numbers of a run: the reconstruction against the private batch, under both pairings, and beside its floors. */
export function scoreRun(trial: Trial, { images, labels, state, seconds }: Reconstruction): RunResults {
  const { truth, spec } = trial;
  return {
    seconds,
    iterations: state.iteration,
    evaluations: state.evaluations,
    ...scoreReconstruction(truth.images, images),
    floors: floors(truth.images),
    labels: {
      trueLabels: truth.labels,
      inferredLabels: labels,
      granted: spec.client.grants.includes("labels"),
      ...scoreLabels(truth.labels, labels),
      classNames: truth.classNames,
    },
  };
}

/** The floor that the same attack reached on another batch's update, scored against the private batch. */
export function mismatchedFloor({ truth }: Trial, images: Images): RunResults["floors"]["mismatchedGradient"] {
  const { psnrDb, ssim, pairs } = scoreReconstruction(truth.images, images);
  return {
    psnrDb: psnrDb.oneToOne,
    ssim: ssim.oneToOne,
    perImagePsnrDb: pairs.oneToOne.map((pair) => pair.psnrDb),
  };
}
