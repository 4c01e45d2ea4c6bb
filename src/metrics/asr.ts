import { fail } from "../util/index.ts";

/** Whether reconstructions can be told to show their own true image among others. */
export interface Identification {
  /** Share of reconstructions that are identified, in [0,1]: the attack success rate (ASR). */
  readonly share: number;
  /** What guessing scores: 1/(D + 1), the floor of `share`. */
  readonly chance: number;
  /** One for each true image. */
  readonly identified: readonly boolean[];
}

/**
 * The attack success rate from distances: the share of reconstructions that are nearer to their true image than to any
 * distractor.
 *
 * identified_i = d_i0 < min(d_i1, …, d_iD): a tie is no identification, so one picture for all never wins by it.
 * distances: B ≥ 1 rows of D + 1 ≥ 2 finite numbers ≥ 0; first that of the reconstruction to its true image, then to D
 * images that were not in the batch.
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
