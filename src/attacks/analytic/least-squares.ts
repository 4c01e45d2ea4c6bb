/** Rows of a sparse matrix, one after another (CSR): row i holds `columns` and `values` from start[i] to start[i + 1]. */
export interface SparseRows {
  readonly width: number;
  readonly start: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

export interface Solution {
  readonly x: Float64Array;
  readonly iterations: number;
  /** ‖A·x − b‖/‖b‖; 0 when b is 0. */
  readonly relativeResidual: number;
}

/**
 * The x nearest to `from` among those of least ‖A·x − b‖₂, by LSQR, in float64.
 *
 * A [M,N], b [M], from [N]. Stops when the residual's gradient ‖Aᵀr‖ is below `tolerance`·‖A‖·‖r‖, when the residual is
 * below `tolerance`·‖b‖, or after `most` iterations. Columns are scaled to unit length first, which changes the
 * convergence and, where A has no full rank, what "nearest" means.
 * Source: Paige and Saunders, "LSQR: an algorithm for sparse linear equations and sparse least squares", 1982.
 */
export function leastSquares(
  a: SparseRows,
  b: Float64Array,
  from: Float64Array,
  { tolerance, most }: { readonly tolerance: number; readonly most: number },
): Solution {
  const scale = columnScales(a);
  const apply = (v: Float64Array) => product(a, hadamard(v, scale));
  const adjoint = (u: Float64Array) => hadamard(transposedProduct(a, u), scale);
  const u = difference(b, product(a, from));
  const total = norm(b);
  const y = new Float64Array(a.width); // x = from + scale·y
  let beta = normalise(u);
  const v = adjoint(u);
  let alpha = normalise(v);
  const w = v.slice();
  let [phi, rho, size] = [beta, alpha, alpha * alpha];
  let iterations = 0;
  while (iterations < most && alpha > 0 && phi > tolerance * total) {
    iterations++;
    const au = apply(v);
    for (let i = 0; i < u.length; i++) u[i] = au[i]! - alpha * u[i]!;
    beta = normalise(u);
    const atu = adjoint(u);
    for (let i = 0; i < v.length; i++) v[i] = atu[i]! - beta * v[i]!;
    alpha = normalise(v);
    size += alpha * alpha + beta * beta;
    const r = Math.hypot(rho, beta);
    const [c, s] = [rho / r, beta / r];
    const step = (c * phi) / r;
    const turn = (s * alpha) / r;
    for (let i = 0; i < y.length; i++) {
      y[i]! += step * w[i]!;
      w[i] = v[i]! - turn * w[i]!;
    }
    rho = -c * alpha;
    phi *= s;
    if (alpha * Math.abs(c) < tolerance * Math.sqrt(size)) break; // ‖Aᵀr‖ = φ·α·|c|
  }
  const x = y.map((value, i) => from[i]! + scale[i]! * value);
  const residual = norm(difference(b, product(a, x)));
  return { x, iterations, relativeResidual: total === 0 ? 0 : residual / total };
}

/** A·x */
export function product({ start, columns, values }: SparseRows, x: Float64Array): Float64Array {
  const out = new Float64Array(start.length - 1);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let k = start[i]!; k < start[i + 1]!; k++) sum += values[k]! * x[columns[k]!]!;
    out[i] = sum;
  }
  return out;
}

/** Aᵀ·u */
export function transposedProduct({ width, start, columns, values }: SparseRows, u: Float64Array): Float64Array {
  const out = new Float64Array(width);
  for (let i = 0; i < u.length; i++) {
    const factor = u[i]!;
    for (let k = start[i]!; k < start[i + 1]!; k++) out[columns[k]!]! += values[k]! * factor;
  }
  return out;
}

/** 1/‖column‖; 1 for columns of zeros. */
function columnScales({ width, columns, values }: SparseRows): Float64Array {
  const squares = new Float64Array(width);
  for (let k = 0; k < values.length; k++) squares[columns[k]!]! += values[k]! ** 2;
  return squares.map((square) => (square > 0 ? 1 / Math.sqrt(square) : 1));
}

function hadamard(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value * b[i]!);
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]!);
}

function norm(v: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < v.length; i++) sum += v[i]! * v[i]!;
  return Math.sqrt(sum);
}

/** Divides v by its length, in place, unless that is 0; returns the length. */
function normalise(v: Float64Array): number {
  const length = norm(v);
  if (length > 0) for (let i = 0; i < v.length; i++) v[i]! /= length;
  return length;
}
