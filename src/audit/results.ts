import type { AttackState } from "../attacks/index.ts";
import {
  floorImages,
  floors,
  type Images,
  leakage,
  type PairScore,
  type PerPairing,
  scoreLabels,
  scoreReconstruction,
  take,
} from "../metrics/index.ts";
import { type Key, key, split } from "../util/index.ts";
import { identify } from "./identify.ts";
import { type Measure, openMeasures, whetherOr } from "./measures.ts";
import type { RunResults } from "./record-schema.ts";
import type { RunSpec } from "./spec.ts";
import { tableResults } from "./table-results.ts";
import type { Trial } from "./trial.ts";

/** What an attack gave: images [B,C,H,W] in [0,1], one label each, and the cost. */
export interface Reconstruction {
  readonly images: Images;
  readonly labels: readonly number[];
  readonly state: AttackState;
  readonly seconds: number;
}

/**
 * The numbers of a run: the reconstruction against the private batch, under both pairings, and beside its floors.
 *
 * A measure that cannot be taken is null, and `notMeasured` says why.
 */
export async function scoreRun(trial: Trial, { images, labels, state, seconds }: Reconstruction): Promise<RunResults> {
  const { truth, spec } = trial;
  const score = scoreReconstruction(truth.images, images, scoreKey(spec, "interval"));
  const found = floors(truth.images);
  const opened = await openMeasures(trial);
  try {
    const { measures } = opened;
    const [lpips, features] = [
      await networkDistance(measures, "lpips", truth.images, images, score.pairs),
      await networkDistance(measures, "feature-distance", truth.images, images, score.pairs),
    ];
    const identified = await whetherOr(() =>
      identify(trial, images, score.pairs, { measures, key: scoreKey(spec, "identification") }),
    );
    return {
      seconds,
      iterations: state.iteration,
      evaluations: state.evaluations,
      ...score,
      floors: found,
      leakage: leakages(score.pairs, found),
      lpips: "value" in lpips ? lpips.value : null,
      featureDistance: "value" in features ? features.value : null,
      identification: "value" in identified ? identified.value : null,
      notMeasured: {
        ...("why" in lpips && { lpips: lpips.why }),
        ...("why" in features && { "feature-distance": features.why }),
        ...("why" in identified && { identification: identified.why }),
        ...opened.notMeasured,
      },
      labels: {
        trueLabels: truth.labels,
        inferredLabels: labels,
        granted: spec.client.grants.includes("labels"),
        ...scoreLabels(truth.labels, labels),
        classNames: truth.classNames,
      },
      ...(truth.table && {
        table: tableResults(
          { truth: truth.images, rebuilt: images, pairs: score.pairs.oneToOne },
          truth.table.columns,
          {
            known: await rowsOutside(trial),
            draws: scoreKey(spec, "rows"),
          },
        ),
      }),
    };
  } finally {
    await opened.release();
  }
}

/**
 * The results with one more floor: what the same attack reached on another batch's update, scored against the private batch.
 *
 * images: that attack's reconstructions, [B,C,H,W] in [0,1].
 */
export async function addMismatchedFloor(trial: Trial, results: RunResults, images: Images): Promise<RunResults> {
  const { psnrDb, ssim, msSsim, pairs } = scoreReconstruction(trial.truth.images, images);
  const mismatchedGradient = {
    psnrDb: psnrDb.oneToOne,
    ssim: ssim.oneToOne,
    msSsim: msSsim.oneToOne,
    perImagePsnrDb: pairs.oneToOne.map((pair) => pair.psnrDb),
  };
  const found = { ...results.floors, mismatchedGradient };
  const opened = await openMeasures(trial);
  try {
    const added = async (measured: RunResults["lpips"], name: Measure["name"]): Promise<RunResults["lpips"]> => {
      const measure = opened.measures.find((each) => each.name === name);
      if (measured === null || measure === undefined) return measured;
      const distance = await whetherOr(async () =>
        average(await paired(measure, trial.truth.images, images, pairs.oneToOne)),
      );
      if ("why" in distance) return measured;
      return { ...measured, floors: { ...measured.floors, mismatchedGradient: distance.value } };
    };
    return {
      ...results,
      floors: found,
      leakage: leakages(results.pairs, found),
      lpips: await added(results.lpips, "lpips"),
      featureDistance: await added(results.featureDistance, "feature-distance"),
    };
  } finally {
    await opened.release();
  }
}

/** The rows that are not in the batch; undefined: there are none. */
async function rowsOutside({ source, indices }: Trial): Promise<Images | undefined> {
  const taken = new Set(indices);
  const rest = source.labels.map((_, i) => i).filter((i) => !taken.has(i));
  return rest.length === 0 ? undefined : (await source.take(rest)).images;
}

function leakages(pairs: PerPairing<readonly PairScore[]>, found: RunResults["floors"]): RunResults["leakage"] {
  const list = Object.values(found).filter((floor) => floor !== undefined);
  return { oneToOne: leakage(pairs.oneToOne, list), manyToOne: leakage(pairs.manyToOne, list) };
}

/** What one of the open measures says of the pairs and of the floors' images; why not, where it is not open. */
async function networkDistance(
  measures: readonly Measure[],
  name: Measure["name"],
  truth: Images,
  images: Images,
  pairs: PerPairing<readonly PairScore[]>,
) {
  return whetherOr<NonNullable<RunResults["lpips"]>>(async () => {
    const measure = measures.find((each) => each.name === name);
    if (measure === undefined) return "not open";
    const oneToOne = await paired(measure, truth, images, pairs.oneToOne);
    const manyToOne = await paired(measure, truth, images, pairs.manyToOne);
    const { flatGrey, flatMean, batchMean } = floorImages(truth);
    const floorOf = async (blank: Images) => average(await measure.distances(truth, blank));
    return {
      mean: { oneToOne: average(oneToOne), manyToOne: average(manyToOne) },
      perImage: { oneToOne, manyToOne },
      floors: {
        flatGrey: await floorOf(flatGrey),
        flatMean: await floorOf(flatMean),
        ...(batchMean && { batchMean: await floorOf(batchMean) }),
      },
    };
  });
}

/** The distance of each true image to its reconstruction. */
function paired(measure: Measure, truth: Images, images: Images, pairs: readonly PairScore[]): Promise<number[]> {
  return measure.distances(
    truth,
    take(
      images,
      pairs.map((pair) => pair.reconstructionIndex),
    ),
  );
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What the random draws of scoring are for; apart from those of the run, so that they change nothing in it. */
function scoreKey(spec: RunSpec, purpose: "interval" | "identification" | "rows"): Key {
  return split(split(key(spec.seed), "score"), purpose);
}
