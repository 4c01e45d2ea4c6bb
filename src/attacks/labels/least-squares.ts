/**
 * The x that minimises ‖A·x − b‖², by Householder's reflections; columns that depend on earlier ones get 0.
 *
 * rows: R × K, R ≥ K; b: R numbers. Result: K numbers.
 * Source: Golub and Van Loan, "Matrix computations", Algorithm 5.3.2, with dependent columns left out.
 */
export function leastSquares(rows: readonly (readonly number[])[], b: readonly number[]): number[] {
  const a = rows.map((row) => Float64Array.from(row));
  const y = Float64Array.from(b);
  const width = a[0]!.length;
  const scale = Math.max(...a.map((row) => Math.hypot(...row)));
  const pivots: number[] = [];
  for (let column = 0; column < width; column++) {
    const at = pivots.length;
    const below = a.slice(at).map((row) => row[column]!);
    const norm = Math.hypot(...below);
    if (norm <= DEPENDENT * scale) continue;
    const v = below;
    v[0]! += below[0]! < 0 ? -norm : norm;
    const half = v.reduce((sum, x) => sum + x * x, 0) / 2;
    const reflect = (read: (i: number) => number, write: (i: number, value: number) => void) => {
      const along = v.reduce((sum, x, i) => sum + x * read(at + i), 0) / half;
      v.forEach((x, i) => {
        write(at + i, read(at + i) - along * x);
      });
    };
    for (let c = column; c < width; c++) {
      reflect(
        (i) => a[i]![c]!,
        (i, value) => {
          a[i]![c] = value;
        },
      );
    }
    reflect(
      (i) => y[i]!,
      (i, value) => {
        y[i] = value;
      },
    );
    pivots.push(column);
  }
  const x = new Array<number>(width).fill(0);
  for (let i = pivots.length - 1; i >= 0; i--) {
    const column = pivots[i]!;
    const known = pivots.slice(i + 1).reduce((sum, c) => sum + a[i]![c]! * x[c]!, 0);
    x[column] = (y[i]! - known) / a[i]![column]!;
  }
  return x;
}

const DEPENDENT = 1e-9; // of the largest row's norm: far under what float32 gradients can tell apart; our choice
