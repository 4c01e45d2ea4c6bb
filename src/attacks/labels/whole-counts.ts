/**
 * The whole numbers nearest to `wanted` whose sum is B and of which none is below its floor.
 *
 * min Σ_j (k_j − wanted_j)² over whole k_j ≥ floors_j with Σ k_j = B; of equals the lower class changes. Floors of which
 * the sum exceeds B are passed over (noise on the update can make them contradict each other).
 * wanted, floors: N numbers; floors whole and ≥ 0. Result: N whole numbers ≥ 0.
 * Source: our choice; without floors it is rounding by largest remainders.
 */
export function wholeCounts(wanted: readonly number[], batchSize: number, floors: readonly number[]): number[] {
  const least = floors.reduce((a, b) => a + b, 0) <= batchSize ? floors : wanted.map(() => 0);
  const counts = wanted.map((value, j) => Math.max(least[j]!, Math.round(value)));
  let missing = batchSize - counts.reduce((a, b) => a + b, 0);
  while (missing !== 0) {
    const step = Math.sign(missing);
    const j = cheapest(counts, (k, at) => (k + step < least[at]! ? Infinity : 2 * step * (k - wanted[at]!) + 1));
    counts[j]! += step;
    missing -= step;
  }
  return counts;
}

/**
 * The fewest images that each class must have, given excess_j = Σ_i p_ij − k_j: k_j > −excess_j, since every p_ij > 0.
 *
 * noise: of `noiseLevel`. Result: N whole numbers ≥ 0. They are a fact, not a guess, where the update has no noise.
 */
export function leastCounts(excess: readonly number[], batchSize: number, noise: number): number[] {
  const slack = (ROUNDING + SPREADS * noise) * batchSize;
  return excess.map((e) => Math.max(0, Math.ceil(-e - slack)));
}

const ROUNDING = 1e-6; // of a gradient in float32 whose terms are at most 1; our choice
const SPREADS = 4; // standard deviations of the noise: beyond them falls one entry in 16,000; our choice

function cheapest(counts: readonly number[], cost: (count: number, at: number) => number): number {
  let best = 0;
  counts.forEach((count, at) => {
    if (cost(count, at) < cost(counts[best]!, best)) best = at;
  });
  return best;
}
