/**
 * The lower triangle L with L·Lᵀ = A, A symmetric [n,n] and positive definite, row-major; or undefined when it is not.
 *
 * Only the lower triangle of A is read. Source: Golub and Van Loan, "Matrix computations", Algorithm 4.2.1.
 */
export function cholesky(matrix: Float64Array, n: number): Float64Array | undefined {
  const l = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = matrix[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
      if (i > j) l[i * n + j] = sum / l[j * n + j]!;
      else if (sum > 0) l[j * n + j] = Math.sqrt(sum);
      else return undefined;
    }
  }
  return l;
}

/** The y with L·y = b: the first half of a solution, and ‖y‖² = bᵀ·A⁻¹·b. */
export function forwardSolve(l: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  const y = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= l[i * n + k]! * y[k]!;
    y[i] = sum / l[i * n + i]!;
  }
  return y;
}

/** The x with L·Lᵀ·x = b. */
export function choleskySolve(l: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  const x = forwardSolve(l, b);
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i]!;
    for (let k = i + 1; k < n; k++) sum -= l[k * n + i]! * x[k]!;
    x[i] = sum / l[i * n + i]!;
  }
  return x;
}

/** log det A = 2·Σ log L_ii. */
export function logDeterminant(l: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += Math.log(l[i * n + i]!);
  return 2 * sum;
}
