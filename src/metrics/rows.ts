import { type Key, split } from "../util/index.ts";
import { shareInterval95 } from "./asr.ts";
import { mean } from "./average.ts";
import { bootstrapMean95 } from "./bootstrap.ts";
import { type GuessRates, guessRates, hitsOf, type RowColumn, shareOf, TOLERANCE } from "./guesses.ts";
import { checkImages, type Images, take } from "./images.ts";

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

/**
 * The share of cells that match: categories exactly, numbers within a tolerance.
 *
 * match(i, c) for a category: argmax of the rebuilt row's span = argmax of the true one's; for a number: |x̂ − x| ≤ 0.05 in
 * units of the range. truth [B,1,1,D], rebuilt [R,1,1,D], both in [0,1]; `pairing`: B indices into the rebuilt rows, one-to-one.
 * known [M,1,1,D], M ≥ 1: rows from which an outsider knows the columns' values, for the floors (`guessRates`); or `guesses`, the
 * floors of each column. All results lie in [0,1]. draws: what drawn guesses and intervals come from.
 * Throws FedleakError when a number is not finite or outside [0,1].
 * Source: Vero et al., "TabLeak", ICML 2023, section 5: share of matching cells, drawn guesses paired in the same way.
 * Differs (our choice): their tolerance is a multiple of each column's standard deviation, and rows are paired by the fewest
 * mismatches; here rows are paired by squared error, as images are, and a floor of medians and most frequent categories is added.
 */
export function scoreRows(
  truth: Images,
  rebuilt: Images,
  options: {
    readonly columns: readonly RowColumn[];
    readonly pairing: readonly number[];
    readonly draws: Key;
  } & ({ readonly known: Images } | { readonly guesses: readonly GuessRates[] }),
): RowScore {
  const { columns, pairing, draws } = options;
  const known = "known" in options ? { known: options.known } : {};
  for (const [who, rows] of Object.entries({ truth, rebuilt, ...known })) checkImages(`rows (${who})`, rows);
  const guesses = "known" in options ? guessRates(truth, columns, options.known, draws) : options.guesses;
  const count = truth.shape[0]!;
  const hits = hitsOf(truth, take(rebuilt, pairing), columns);
  const perColumn = columns.map(({ name, kind }, c) => {
    const found = shareOf(hits, c);
    return { name, kind, matchRate: found, interval95: shareInterval95(found, count), floors: guesses[c]! };
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
