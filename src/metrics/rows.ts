import { largestOf } from "../tensor/index.ts";
import { type Key, split, uniform } from "../util/index.ts";
import { shareInterval95 } from "./asr.ts";
import { mean } from "./average.ts";
import { bootstrapMean95 } from "./bootstrap.ts";
import { checkImages, type Images, take } from "./images.ts";
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

/** How much of a table's rows was rebuilt, cell by cell. */
export interface RowScore {
  /** How far a number may lie from the true one, as a share of its column's range. */
  readonly tolerance: number;
  /** Share of all cells that match. */
  readonly matchRate: number;
  /** Bootstrap over the rows; null for one row. */
  readonly interval95: readonly [low: number, high: number] | null;
  readonly floors: GuessRates;
  /** Whether more cells match than either guess finds, by the lower end of the interval; one for cells is used beside it. */
  readonly beyondGuessing: boolean;
  /** Share of rows of which every cell matches. */
  readonly wholeRows: number;
  readonly columns: readonly {
    readonly name: string;
    readonly kind: RowColumn["kind"];
    readonly matchRate: number;
    /** Wilson's interval of that share. */
    readonly interval95: readonly [low: number, high: number];
    readonly floors: GuessRates;
  }[];
  /** Whether each cell matches: a list a true row, a value a column. */
  readonly hits: readonly (readonly boolean[])[];
}

export const TOLERANCE = 0.05; // of a column's range; our choice, about the rounding of an age to the nearest decade
const ROUNDING = 1e-6; // of float32, so that a number exactly on the limit counts
const DRAWS = 100; // our choice: the mean of guessed rows then moves by a few thousandths

/**
 * The share of cells that match: categories exactly, numbers within a tolerance.
 *
 * match(i, c) for a category: argmax of the rebuilt row's span = argmax of the true one's; for a number: |x̂ − x| ≤ 0.05 in
 * units of the range. truth [B,1,1,D], rebuilt [R,1,1,D], both in [0,1]; `pairing`: B indices into the rebuilt rows, one-to-one.
 * known [M,1,1,D], M ≥ 1: rows from which an outsider knows the columns' values, for the floors. All results lie in [0,1].
 * Where every column has one value in `known` both floors are the same guess. draws: what drawn guesses and intervals come from.
 * Throws FedleakError when a number is not finite or outside [0,1].
 * Source: Vero et al., "TabLeak", ICML 2023, section 5: share of matching cells, drawn guesses paired in the same way.
 * Differs (our choice): their tolerance is a multiple of each column's standard deviation, and rows are paired by the fewest
 * mismatches; here rows are paired by squared error, as images are, and a floor of medians and most frequent categories is added.
 */
export function scoreRows(
  truth: Images,
  rebuilt: Images,
  {
    columns,
    pairing,
    known,
    draws,
  }: {
    readonly columns: readonly RowColumn[];
    readonly pairing: readonly number[];
    readonly known: Images;
    readonly draws: Key;
  },
): RowScore {
  for (const [who, rows] of Object.entries({ truth, rebuilt, known })) checkImages(`rows (${who})`, rows);
  const count = truth.shape[0]!;
  const hits = hitsOf(truth, take(rebuilt, pairing), columns);
  const marginal = hitsOf(truth, repeated(marginals(known, columns), truth), columns);
  const drawn = Array.from({ length: DRAWS }, (_, d) => {
    const guess = drawnRows(known, columns, count, split(split(draws, "guess"), d));
    return hitsOf(truth, take(guess, pairOneToOne(truth, guess)), columns);
  });
  const rate = (rows: readonly (readonly boolean[])[], c: number) => mean(rows.map((row) => Number(row[c])));
  const perColumn = columns.map(({ name, kind }, c) => {
    const found = rate(hits, c);
    const guesses = { marginal: rate(marginal, c), drawn: mean(drawn.map((rows) => rate(rows, c))) };
    return { name, kind, matchRate: found, interval95: shareInterval95(found, count), floors: guesses };
  });
  const matchRate = mean(perColumn.map((column) => column.matchRate));
  const interval95 = bootstrapMean95([hits.map((row) => mean(row.map(Number)))], split(draws, "interval"));
  const floors = {
    marginal: mean(perColumn.map((column) => column.floors.marginal)),
    drawn: mean(perColumn.map((column) => column.floors.drawn)),
  };
  const [ofCells] = shareInterval95(matchRate, count * columns.length); // a bootstrap of few rows is too short
  const low = Math.min(interval95?.[0] ?? 1, ofCells);
  return {
    tolerance: TOLERANCE,
    matchRate,
    interval95,
    floors,
    beyondGuessing: low > Math.max(floors.marginal, floors.drawn),
    wholeRows: mean(hits.map((row) => Number(row.every(Boolean)))),
    columns: perColumn,
    hits,
  };
}

/** Which cells of two tables of the same rows match. */
function hitsOf(truth: Images, rows: Images, columns: readonly RowColumn[]): boolean[][] {
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
