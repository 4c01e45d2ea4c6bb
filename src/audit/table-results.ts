import { type Column, columnSpans, decodeRow } from "../data/index.ts";
import { type Images, type PairScore, scoreRows } from "../metrics/index.ts";
import { row } from "../tensor/index.ts";
import type { Key } from "../util/index.ts";
import type { RunResults } from "./record-schema.ts";
import { floorsFromOthers } from "./row-floors.ts";

/** What the results say of a table: cells that match, and the rows themselves as people read them. */
export type TableResults = NonNullable<RunResults["table"]>;

/**
 * The cells of a reconstruction against the private rows, paired as the images' scores are.
 *
 * known: rows outside the batch from which the columns' values are known, [M,1,1,D], for the floors; undefined: there are none,
 * and each row of the batch is guessed from its others (`floorsFromOthers`). One row alone is then its own guess, which is no floor.
 */
export function tableResults(
  { truth, rebuilt, pairs }: { truth: Images; rebuilt: Images; pairs: readonly PairScore[] },
  columns: readonly Column[],
  { known, draws }: { readonly known: Images | undefined; readonly draws: Key },
): TableResults {
  const spans = columnSpans(columns);
  const pairing = pairs.map(({ reconstructionIndex }) => reconstructionIndex);
  const others = known === undefined && pairs.length > 1;
  const floors = others ? { guesses: floorsFromOthers(truth, spans, draws) } : { known: known ?? truth };
  const score = scoreRows(truth, rebuilt, { columns: spans, pairing, draws, ...floors });
  const [own, found] = [cellsOf(truth, columns), cellsOf(rebuilt, columns)];
  return {
    ...score,
    columns: score.columns.map((column) => ({ ...column, interval95: [...column.interval95] as const })),
    floorsFrom: known
      ? `the ${known.shape[0]} rows outside the batch`
      : "the batch itself, each row guessed from its others",
    rows: pairs.map(({ trueIndex, reconstructionIndex }) => ({
      trueIndex,
      reconstructionIndex,
      truth: own[trueIndex]!,
      rebuilt: found[reconstructionIndex]!,
    })),
  };
}

/** The cells of rows [B,1,1,D], as people read them. */
export function cellsOf(rows: Images, columns: readonly Column[]): string[][] {
  return Array.from({ length: rows.shape[0]! }, (_, i) => decodeRow(row(rows, i).data, columns).map(cellText));
}

/** Four digits are more than the tolerance tells apart; our choice. */
function cellText(cell: number | string): string {
  return typeof cell === "string" ? cell : String(Number(cell.toPrecision(4)));
}
