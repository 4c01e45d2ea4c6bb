import type { Update } from "./types.ts";

/** For each entry of an update, by tensor name: 1 where it is meant, 0 elsewhere. */
export type Marks = Readonly<Record<string, Uint8Array>>;

/**
 * Marks exactly the `count` entries of largest magnitude over all tensors; of equal ones those that come first.
 */
export function largest(update: Update, count: number): Marks {
  const entries = Object.entries(update);
  const all = new Float32Array(entries.reduce((total, [, { data }]) => total + data.length, 0));
  let at = 0;
  for (const [, { data }] of entries) for (const value of data) all[at++] = Math.abs(value);
  all.sort();
  const threshold = count > 0 ? all[all.length - count]! : Number.POSITIVE_INFINITY;
  const above = all.length - upperBound(all, threshold);
  let ties = count - above; // entries of exactly the threshold that are marked
  return Object.fromEntries(
    entries.map(([name, { data }]) => [
      name,
      Uint8Array.from(data, (value) => {
        const size = Math.abs(value);
        if (size > threshold) return 1;
        return size === threshold && ties-- > 0 ? 1 : 0;
      }),
    ]),
  );
}

/** The number of entries that `percent` of `total` is, rounded to the nearest. */
export function countOf(percent: number, total: number): number {
  return Math.round((percent / 100) * total);
}

/** The p-th percentile, 0 ≤ p ≤ 100, by linear interpolation between order statistics (as NumPy's default). */
export function percentile(values: ArrayLike<number>, p: number): number {
  const sorted = Float64Array.from(values).sort();
  const position = (p / 100) * (sorted.length - 1);
  const [low, high] = [Math.floor(position), Math.ceil(position)];
  const weight = position - low;
  return weight === 0 ? sorted[low]! : (1 - weight) * sorted[low]! + weight * sorted[high]!;
}

/** The number of elements of an ascending array that are at most `value`. */
function upperBound(ascending: Float32Array, value: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
