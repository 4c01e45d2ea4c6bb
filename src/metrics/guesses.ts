import { largestOf } from "../tensor/index.ts";
import { type Key, split, uniform } from "../util/index.ts";
import { mean } from "./average.ts";
import { type Images, take } from "./images.ts";
import { pairOneToOne } from "./pairing.ts";

/** Where a column's numbers stand in a row: one number in [0,1], or one a category of which the largest counts. */
export interface RowColumn {
  readonly name: string;
  readonly kind: "numeric" | "categorical";
  readonly from: number;
  readonly width: number;
}

/** What guessing without the update scores. */
export interface GuessRates {
  /** Every row the columns' most frequent categories and medians. */
  readonly marginal: number;
  /** Rows whose cells are drawn from the columns' values, each by itself, and paired as the reconstruction is: a mean over draws. */
  readonly drawn: number;
}

export const TOLERANCE = 0.05; // of a column's range; our choice, about the rounding of an age to the nearest decade
const ROUNDING = 1e-6; // of float32, so that a number exactly on the limit counts
const DRAWS = 100; // our choice: the mean of guessed rows then moves by a few thousandths

/**
 * What guesses that know other rows find of each column.
 *
 * truth [B,1,1,D]; known [M,1,1,D], M ≥ 1; both in [0,1]. Where every column has one value in `known` both floors are the same guess.
 */
export function guessRates(truth: Images, columns: readonly RowColumn[], known: Images, draws: Key): GuessRates[] {
  const marginal = marginalHits(truth, columns, known);
  const drawn = Array.from({ length: DRAWS }, (_, d) => {
    const guess = drawnRows(known, columns, truth.shape[0]!, split(split(draws, "guess"), d));
    return hitsOf(truth, take(guess, pairOneToOne(truth, guess)), columns);
  });
  return columns.map((_, c) => ({
    marginal: shareOf(marginal, c),
    drawn: mean(drawn.map((rows) => shareOf(rows, c))),
  }));
}

/** Which cells the most frequent categories and medians of other rows match: a list a row, a value a column. */
export function marginalHits(truth: Images, columns: readonly RowColumn[], known: Images): boolean[][] {
  return hitsOf(truth, repeated(marginals(known, columns), truth), columns);
}

/** The share of rows whose cell of column c matches. */
export function shareOf(hits: readonly (readonly boolean[])[], c: number): number {
  return mean(hits.map((row) => Number(row[c])));
}

/** Which cells of two tables of the same rows match. */
export function hitsOf(truth: Images, rows: Images, columns: readonly RowColumn[]): boolean[][] {
  const others = rowsOf(rows);
  return rowsOf(truth).map((own, i) => {
    const other = others[i]!;
    return columns.map(({ kind, from, width }) =>
      kind === "numeric"
        ? Math.abs(own[from]! - other[from]!) <= TOLERANCE + ROUNDING
        : largestOf(own, from, width) === largestOf(other, from, width),
    );
  });
}

/** One row of the medians and the most frequent categories; among equally frequent ones the first. */
function marginals(known: Images, columns: readonly RowColumn[]): Float32Array {
  const rows = rowsOf(known);
  const guess = new Float32Array(rows[0]!.length);
  for (const { kind, from, width } of columns) {
    if (kind === "numeric") guess[from] = median(rows.map((row) => row[from]!));
    else {
      const counts = new Array<number>(width).fill(0);
      for (const row of rows) counts[largestOf(row, from, width)]!++;
      guess[from + largestOf(counts, 0, width)] = 1;
    }
  }
  return guess;
}

/** Rows whose columns are each taken from a row of their own, drawn with replacement. */
function drawnRows(known: Images, columns: readonly RowColumn[], count: number, key: Key): Images {
  const rows = rowsOf(known);
  const places = uniform(key, count * columns.length);
  const data = new Float32Array(count * rows[0]!.length);
  for (let i = 0; i < count; i++) {
    for (const [c, { from, width }] of columns.entries()) {
      const source = rows[Math.floor(places[i * columns.length + c]! * rows.length)]!;
      data.set(source.subarray(from, from + width), i * rows[0]!.length + from);
    }
  }
  return { dtype: "float32", shape: [count, ...known.shape.slice(1)], data };
}

function repeated(row: Float32Array, { shape, data }: Images): Images {
  return { dtype: "float32", shape, data: Float32Array.from(data, (_, i) => row[i % row.length]!) };
}

function rowsOf({ shape, data }: Images): Float32Array[] {
  const width = data.length / shape[0]!;
  return Array.from({ length: shape[0]! }, (_, i) => data.subarray(i * width, (i + 1) * width));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
