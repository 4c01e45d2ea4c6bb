import { fail } from "../util/index.ts";

const Z = 1.959964; // 97.5 % quantile of N(0,1)

/** Whether true images can be told, by their reconstructions, from images that were not in the batch. */
export interface Identification {
  /** Share of true images that are identified, in [0,1]: the attack success rate (ASR). */
  readonly share: number;
  /** What guessing scores: 1/(D + 1), the floor of `share`. */
  readonly chance: number;
  /** One for each true image. */
  readonly identified: readonly boolean[];
}

/**
 * The attack success rate from distances: the share of true images that are nearer to their reconstruction than every
 * distractor is to the reconstruction that it would be given.
 *
 * identified_i = d_i0 < min(d_i1, …, d_iD): a tie is no identification, so one picture for all never wins by it.
 * distances: B ≥ 1 rows of D + 1 ≥ 2 finite numbers ≥ 0; first that of the true image, then those of D images that were not
 * in the batch.
 * Throws FedleakError when a row has another length or a number is not finite.
 * Source: the FedLeak paper's ASR, "the entities in the two images have a high semantic overlap".
 * Differs: three people judged there; here a distance does, so that every run has the number, and its chance level.
 */
export function identification(distances: readonly (readonly number[])[]): Identification {
  const candidates = distances[0]?.length ?? 0;
  const bad = distances.find((row) => row.length !== candidates || !row.every(Number.isFinite));
  if (candidates < 2 || bad !== undefined) {
    fail({
      who: "identification",
      must: "each reconstruction needs finite distances to its true image and to the same number of others, 1 or more",
      got: bad === undefined ? `${distances.length} rows of ${candidates}` : `a row [${bad.join(", ")}]`,
      remedy: "Draw more distractors.",
    });
  }
  const identified = distances.map(([own, ...others]) => own! < Math.min(...others));
  return {
    share: identified.filter(Boolean).length / distances.length,
    chance: 1 / candidates,
    identified,
  };
}

/**
 * A 95 % interval of a share of `count` images.
 *
 * (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n), p the share, n the count, z = 1.96: Wilson's score interval.
 * share in [0,1], count ≥ 1 → [low, high] within [0,1]. Unlike a bootstrap it has a width where all images agree: for 8 of 8
 * it is 0.68 to 1. It takes the images for independent, which those of one update are not: read it as a spread.
 * Throws FedleakError when the share is not in [0,1] or the count not a whole number ≥ 1.
 * Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22(158), 1927.
 */
export function shareInterval95(share: number, count: number): readonly [low: number, high: number] {
  if (!(share >= 0 && share <= 1) || !Number.isInteger(count) || count < 1) {
    fail({
      who: "share interval",
      must: "it needs a share in [0,1] of a whole number of images, 1 or more",
      got: `${share} of ${count}`,
      remedy: "Pass the share and how many images it is of.",
    });
  }
  const square = Z * Z;
  const reach = Z * Math.sqrt((share * (1 - share)) / count + square / (4 * count * count));
  const at = (sign: 1 | -1) => (share + square / (2 * count) + sign * reach) / (1 + square / count);
  return [Math.max(0, at(-1)), Math.min(1, at(1))];
}
