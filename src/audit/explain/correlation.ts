import { type Key, split, uniform } from "../../util/index.ts";

/**
 * Pearson's correlation of two lists of equal length, in [−1, 1]; null when one of them is constant or shorter than 2.
 *
 * r = Σ(a−ā)(b−b̄) / √(Σ(a−ā)²·Σ(b−b̄)²). Source: Pearson, 1895.
 */
export function pearson(a: readonly number[], b: readonly number[]): number | null {
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const [centreA, centreB] = [mean(a), mean(b)];
  let [products, squaresA, squaresB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [p, q] = [a[i]! - centreA, b[i]! - centreB];
    products += p * q;
    squaresA += p * p;
    squaresB += q * q;
  }
  const scale = Math.sqrt(squaresA) * Math.sqrt(squaresB);
  return scale > 0 ? products / scale : null;
}

/** Spearman's correlation: Pearson's of the ranks, equal values sharing their mean rank. */
export function spearman(a: readonly number[], b: readonly number[]): number | null {
  return pearson(ranks(a), ranks(b));
}

const RESAMPLES = 1000; // our choice: the bounds are steady to the second digit

/**
 * The 95 % percentile bootstrap interval of Pearson's correlation: pairs are drawn again with replacement, 1000 times.
 *
 * It tells how far the number would move with another sample of entries, nothing of other images or weights. null with fewer
 * than 10 pairs, or where resampling makes a list constant. Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993.
 */
export function pearsonInterval95(
  a: readonly number[],
  b: readonly number[],
  key: Key,
): [low: number, high: number] | null {
  if (a.length < LEAST) return null;
  const found: number[] = [];
  for (let r = 0; r < RESAMPLES; r++) {
    const drawn = Array.from(uniform(split(key, r), a.length), (u) => Math.floor(u * a.length));
    const value = pearson(
      drawn.map((i) => a[i]!),
      drawn.map((i) => b[i]!),
    );
    if (value === null) return null;
    found.push(value);
  }
  found.sort((p, q) => p - q);
  return [found[Math.floor(RESAMPLES * 0.025)]!, found[Math.ceil(RESAMPLES * 0.975) - 1]!];
}

const LEAST = 10; // our choice: below it the resamples repeat themselves

/** 1 for the least, n for the greatest. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const out = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let k = start; k < end; k++) out[order[k]!] = (start + 1 + end) / 2;
    start = end;
  }
  return out;
}
