import { fail, type Key, split, uniform } from "../util/index.ts";

/**
 * A 95 % interval of the grand mean by the bootstrap: groups are drawn again, then the values within each.
 *
 * Grand mean = mean over the groups of each group's mean, so every group counts the same whatever its size. One resample
 * draws G of the G groups with replacement, then, of each drawn group, as many values as it has, with replacement. The
 * interval lies between the 2.5 % and the 97.5 % quantile of 2000 resampled grand means.
 * groups: G ≥ 1 lists (one a seed, say) of n_g ≥ 1 finite numbers (one an image) → [low, high] within the values' range,
 * or null for a single value in all, where no spread can be known. The same key gives the same interval.
 * It says how far the mean of other images like these may lie. With few values it is too short: of 2, 4, 8 and 16 normal
 * values it holds their mean in about 50, 80, 90 and 95 % of cases (measured). Images rebuilt from one update are not
 * independent either: read it as a spread, not as a proof.
 * Throws FedleakError when there is no group, an empty one or a value that is not finite.
 * Source: Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7(1), 1979 (percentile interval);
 * Davison and Hinkley, "Bootstrap methods and their application", 1997, section 3.8 (two stages).
 */
export function bootstrapMean95(
  groups: readonly (readonly number[])[],
  key: Key,
): readonly [low: number, high: number] | null {
  check(groups);
  const count = groups.reduce((sum, group) => sum + group.length, 0);
  if (count === 1) return null;
  const means = Float64Array.from({ length: RESAMPLES }, (_, r) => resampledMean(groups, split(key, r))).sort();
  return [quantile(means, TAIL), quantile(means, 1 - TAIL)];
}

const RESAMPLES = 2000; // our choice: the ends of the interval then move by about 2 % of its width from key to key
const TAIL = 0.025; // half of what a 95 % interval leaves out

/** The mean of the means of one draw of groups and, within each, of values; a group drawn twice is resampled anew. */
function resampledMean(groups: readonly (readonly number[])[], key: Key): number {
  const most = Math.max(...groups.map((group) => group.length));
  const draws = uniform(key, groups.length * (1 + most)); // [G, 1 + most]: which group, then which of its values
  let sum = 0;
  for (let g = 0; g < groups.length; g++) {
    const start = g * (1 + most);
    const group = groups[Math.floor(draws[start]! * groups.length)]!;
    let total = 0;
    for (let i = 1; i <= group.length; i++) total += group[Math.floor(draws[start + i]! * group.length)]!;
    sum += total / group.length;
  }
  return sum / groups.length;
}

/** The quantile of sorted values, linear between neighbours. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const [low, high] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
  return low + (high - low) * (place - below);
}

function check(groups: readonly (readonly number[])[]): void {
  if (groups.length === 0 || groups.some((group) => group.length === 0)) {
    fail({
      who: "bootstrap",
      must: "there must be at least one group, and a value in each",
      got: groups.length === 0 ? "no group" : `an empty group ${groups.findIndex((group) => group.length === 0)}`,
      remedy: "Leave groups without a value out, and say so.",
    });
  }
  const bad = groups.flat().find((value) => !Number.isFinite(value));
  if (bad !== undefined) {
    fail({
      who: "bootstrap",
      must: "every value must be finite",
      got: `${bad}`,
      remedy: "Report that trial as failed.",
    });
  }
}
