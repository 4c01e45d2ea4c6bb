/** Lower triangular matrices, row-major [n,n] in float64. */

const SMALLEST_PIVOT = 1e-7; // relative to the diagonal entry; our choice, about what float32 storage leaves certain

/**
 * L with L·Lᵀ = A for a symmetric positive definite A [n,n], of which the lower half is read.
 *
 * A pivot that rounding has brought near zero or below is lifted, so that there always is a result.
 * Differs: ml-matrix's decomposition has no result there, and a covariance in float32 checkpoints does come there.
 */
export function cholesky(matrix: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = matrix[i * n + j]!;
      for (let k = 0; k < j; k++) rest -= lower[i * n + k]! * lower[j * n + k]!;
      lower[i * n + j] =
        i === j ? Math.sqrt(Math.max(rest, SMALLEST_PIVOT * matrix[i * n + i]!)) : rest / lower[j * n + j]!;
    }
  }
  return lower;
}

/** L·v */
export function lowerTimes(lower: Float64Array, v: Float64Array): Float64Array {
  const n = v.length;
  return v.map((_, i) => {
    let sum = 0;
    for (let j = 0; j <= i; j++) sum += lower[i * n + j]! * v[j]!;
    return sum;
  });
}

/** x with L·x = v */
export function solveLower(lower: Float64Array, v: Float64Array): Float64Array {
  const n = v.length;
  const x = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let rest = v[i]!;
    for (let j = 0; j < i; j++) rest -= lower[i * n + j]! * x[j]!;
    x[i] = rest / lower[i * n + i]!;
  }
  return x;
}
