/**
 * The rank of a matrix [rows, columns] as far as its numbers are sure, at most `most`.
 *
 * Gram–Schmidt with pivoting: the row of largest remaining norm is taken off all others, until none is left above
 * `tolerance` times the largest norm at first. Of large matrices only evenly spaced rows and columns are looked at, LARGEST of each: the rank of
 * a part is never above that of the whole. Source: Golub and Van Loan, Matrix Computations, section 5.4 (pivoting).
 */
export function numericRank(
  data: ArrayLike<number>,
  [rows, columns]: readonly [number, number],
  { tolerance, most }: { readonly tolerance: number; readonly most: number },
): number {
  const left = spaced(rows).map((i) => Float64Array.from(spaced(columns), (j) => data[i * columns + j]!));
  const norms = left.map(norm);
  const limit = tolerance * Math.max(...norms, 0);
  for (let rank = 0; ; rank++) {
    const pivot = norms.indexOf(Math.max(...norms));
    if (rank === Math.min(most, rows, columns) || !(norms[pivot]! > limit)) return rank;
    const unit = left[pivot]!.map((v) => v / norms[pivot]!);
    left.forEach((row, i) => {
      if (norms[i]! <= limit) return;
      let along = 0;
      for (let j = 0; j < row.length; j++) along += row[j]! * unit[j]!;
      for (let j = 0; j < row.length; j++) row[j]! -= along * unit[j]!;
      norms[i] = i === pivot ? 0 : norm(row);
    });
  }
}

const LARGEST = 512; // rows and columns; our choice, keeps the time under a second

function spaced(count: number): number[] {
  const size = Math.min(count, LARGEST);
  return Array.from({ length: size }, (_, i) => Math.floor((i * count) / size));
}

function norm(row: Float64Array): number {
  let squares = 0;
  for (const v of row) squares += v * v;
  return Math.sqrt(squares);
}
