import {
  errors,
  type Identification,
  type Images,
  identification,
  type PairScore,
  type PerPairing,
  pairInPlaceOf,
  shareInterval95,
  take,
} from "../metrics/index.ts";
import { row, stack } from "../tensor/index.ts";
import { type Key, permutation } from "../util/index.ts";
import { type Measure, whetherOr } from "./measures.ts";
import type { RunResults } from "./record-schema.ts";
import type { Trial } from "./trial.ts";

/** How many other images each true image stands among, where the data has as many; the least that makes a test. */
export const DISTRACTORS = { most: 9, least: 3 } as const; // our choice: guessing scores 10 %, and 25 % at most

/**
 * The attack success rate of a reconstruction by every measure: which true images are nearer to their reconstruction than
 * images are that the client never had.
 *
 * Each true image stands among D = 9 distractors of its own where the data has as many images outside the batch, else among
 * all of those; drawn from `key` over all classes (our choice: of its own class they would be harder to tell apart), those of
 * two true images disjoint while they last. A distractor is compared with the reconstruction that it would be given in the
 * true image's place (`pairInPlaceOf`), so that a reconstruction that knows nothing scores 1/(D + 1) on average.
 * images: the reconstructions, [R,C,H,W]; `pairs` says which belongs to which true image.
 * Returns why not, where the data has fewer than three other images or no measure can be taken.
 */
export async function identify(
  { source, truth, indices }: Pick<Trial, "source" | "truth" | "indices">,
  images: Images,
  pairs: PerPairing<readonly PairScore[]>,
  { measures, key }: { readonly measures: readonly Measure[]; readonly key: Key },
): Promise<NonNullable<RunResults["identification"]> | string> {
  const taken = new Set(indices);
  const rest = source.labels.map((_, i) => i).filter((i) => !taken.has(i));
  const count = Math.min(DISTRACTORS.most, rest.length);
  if (count < DISTRACTORS.least) {
    return `the data has ${rest.length} images outside the batch, fewer than ${DISTRACTORS.least}`;
  }
  if (measures.length === 0) return "no distance can be measured on these images";
  const order = permutation(key, rest.length);
  const costs = errors(truth.images, images);
  const rows: Row[] = [];
  for (const [i, own] of pairs.oneToOne.entries()) {
    const drawn = Array.from({ length: count }, (_, d) => rest[order[(i * count + d) % rest.length]!]!);
    const { images: others } = await source.take(drawn);
    const instead = pairInPlaceOf(i, costs, others, images);
    rows.push({
      candidates: stack([row(truth.images, i), ...drawn.map((_, d) => row(others, d))]),
      oneToOne: [own.reconstructionIndex, ...instead.oneToOne],
      manyToOne: [pairs.manyToOne[i]!.reconstructionIndex, ...instead.manyToOne],
    });
  }
  const by: NonNullable<RunResults["identification"]>["by"][number][] = [];
  for (const measure of measures) {
    const found = await whetherOr(() => identifiedBy(measure, rows, images));
    if ("value" in found) by.push(summary(measure.name, found.value));
  }
  if (by.length === 0) return "no distance could be measured on these images";
  return { distractors: count, chance: 1 / (count + 1), by };
}

/** A true image before its distractors, [1 + D,C,H,W], and the reconstruction of each under both pairings. */
interface Row {
  readonly candidates: Images;
  readonly oneToOne: readonly number[];
  readonly manyToOne: readonly number[];
}

async function identifiedBy(
  measure: Measure,
  rows: readonly Row[],
  images: Images,
): Promise<PerPairing<Identification>> {
  const distances: PerPairing<number[][]> = { oneToOne: [], manyToOne: [] };
  for (const { candidates, oneToOne, manyToOne } of rows) {
    const own = await measure.distances(candidates, take(images, oneToOne));
    const same = oneToOne.join() === manyToOne.join();
    distances.oneToOne.push(own);
    distances.manyToOne.push(same ? own : await measure.distances(candidates, take(images, manyToOne)));
  }
  return { oneToOne: identification(distances.oneToOne), manyToOne: identification(distances.manyToOne) };
}

function summary(measure: string, { oneToOne, manyToOne }: PerPairing<Identification>) {
  const interval = ({ share, identified }: Identification) => shareInterval95(share, identified.length);
  return {
    measure,
    share: { oneToOne: oneToOne.share, manyToOne: manyToOne.share },
    interval95: { oneToOne: interval(oneToOne), manyToOne: interval(manyToOne) },
    identified: { oneToOne: oneToOne.identified, manyToOne: manyToOne.identified },
  };
}
