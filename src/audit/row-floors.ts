import { type GuessRates, guessRates, type Images, marginalHits, type RowColumn, take } from "../metrics/index.ts";
import { type Key, permutation, split } from "../util/index.ts";

/**
 * What guesses find of each column where no rows but those of the batch are known: no row is guessed from itself.
 *
 * Most frequent: every row by the others' most frequent categories and medians. Drawn: the batch is halved at random, and each half
 * guessed by rows drawn from the other's cells and paired with it; of both halves together. truth [B,1,1,D], B ≥ 2, in [0,1]. Source:
 * none; our choice. Pairing within a half helps guesses less than within the batch.
 */
export function floorsFromOthers(truth: Images, columns: readonly RowColumn[], draws: Key): GuessRates[] {
  const count = truth.shape[0]!;
  const marginal = guessedByOthers(truth, columns);
  const order = Array.from(permutation(split(draws, "halves"), count));
  const middle = Math.floor(count / 2);
  const halves = [order.slice(0, middle), order.slice(middle)] as const;
  const drawn = halves.map((half, h) => guessRates(take(truth, half), columns, take(truth, halves[1 - h]!), draws));
  return columns.map((_, c) => ({
    marginal: marginal.filter((row) => row[c]).length / count,
    drawn: drawn.reduce((sum, rates, h) => sum + rates[c]!.drawn * (halves[h]!.length / count), 0),
  }));
}

/** Whether the others' most frequent category or median matches each cell: a list a row, a value a column. B ≥ 2. */
export function guessedByOthers(truth: Images, columns: readonly RowColumn[]): boolean[][] {
  const all = Array.from({ length: truth.shape[0]! }, (_, i) => i);
  return all.map((i) => {
    const others = all.filter((j) => j !== i);
    return marginalHits(take(truth, [i]), columns, take(truth, others))[0]!;
  });
}
