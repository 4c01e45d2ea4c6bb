import type { RunResults } from "../audit/index.ts";
import type { Row } from "./text-layout.ts";

type Table = NonNullable<RunResults["table"]>;

/** Cells that match, column by column, beside what guessing finds. */
export function columnRows({ columns, matchRate, interval95, floors, wholeRows, rows, floorsFrom }: Table): Row[] {
  const line = (name: string, { matchRate: rate, interval95: range, floors: guess }: Shares): Row => [
    name,
    percent(rate),
    percent(guess.marginal),
    percent(guess.drawn),
    range === null ? "" : `95 % interval ${percent(range[0])} to ${percent(range[1])}`,
  ];
  return [
    ["", "match", "most frequent", "drawn", `the two guesses know ${floorsFrom}`],
    ...columns.map((column) => line(column.name, column)),
    line("all cells", { matchRate, interval95, floors }),
    ["whole rows", `${Math.round(wholeRows * rows.length)} of ${rows.length}`],
  ];
}

type Shares = Pick<Table, "matchRate" | "interval95" | "floors">;

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
