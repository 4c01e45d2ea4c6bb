/**
 * Student's 95 % confidence interval of the mean of `values`.
 *
 * mean ± t · s / √n, s² = Σ(v − mean)² / (n − 1), t the 97.5 % quantile of Student's t with n − 1 degrees of freedom.
 * values: n finite numbers → [low, high], or null for n < 2, where no spread can be known.
 * It says how far the mean of other images like these may lie; images rebuilt from one update are not independent,
 * so read it as a spread, not as a proof.
 * Source: Student, "The probable error of a mean", Biometrika 6(1), 1908.
 */
export function interval95(values: readonly number[]): readonly [low: number, high: number] | null {
  const n = values.length;
  if (n < 2) return null;
  const centre = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (n - 1);
  const reach = quantile(n - 1) * Math.sqrt(variance / n);
  return [centre - reach, centre + reach];
}

/** The arithmetic mean of at least one number. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const EXACT = [12.7062, 4.3027, 3.1824, 2.7764]; // 97.5 % quantiles for 1 … 4 degrees of freedom; any table of Student's t
const Z = 1.959964; // 97.5 % quantile of N(0,1)

/** 97.5 % quantile of Student's t; off by at most 0.003. Source: Abramowitz and Stegun, 26.7.5 (three terms). */
function quantile(freedom: number): number {
  const exact = EXACT[freedom - 1];
  if (exact !== undefined) return exact;
  const first = (Z ** 3 + Z) / 4;
  const second = (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / 96;
  const third = (3 * Z ** 7 + 19 * Z ** 5 + 17 * Z ** 3 - 15 * Z) / 384;
  return Z + first / freedom + second / freedom ** 2 + third / freedom ** 3;
}
