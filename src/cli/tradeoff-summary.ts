import { join } from "node:path";
import type { TradeoffOutcome } from "../audit/index.ts";
import { panelsOf, TRADEOFF_COLUMNS, TRADEOFF_REPORT_FILES, tradeoffNote } from "../report/index.ts";
import { table, wrapped } from "./text-layout.ts";

/** What a trade-off came to, for a person at a terminal: a table for each place and number of local steps, failures, files. */
export function tradeoffText({ tradeoff, folder }: TradeoffOutcome): string {
  const tables = panelsOf(tradeoff).flatMap(({ title, lines }) => [
    "",
    title,
    ...table([
      ["setting", ...TRADEOFF_COLUMNS.map((column) => column.title)],
      ...lines.map((line) => [line.cell, ...TRADEOFF_COLUMNS.map(({ text }) => text(line))]),
    ]),
  ]);
  const failures = failuresOf(tradeoff).flatMap(({ id, failure }) => wrapped(`Failed: ${id}: ${failure}`, WIDTH));
  return [
    ...tables,
    "",
    ...wrapped(tradeoffNote(tradeoff), WIDTH),
    ...(failures.length > 0 ? ["", ...failures] : []),
    "",
    ...table([
      ["report", join(folder, TRADEOFF_REPORT_FILES.report)],
      ["table", join(folder, TRADEOFF_REPORT_FILES.csv)],
      ["figure", join(folder, TRADEOFF_REPORT_FILES.figure)],
      ["advice", `fedleak advise ${folder}`],
    ]),
  ].join("\n");
}

/** What a trade-off came to, for a program: one JSON object. */
export function tradeoffJson({ tradeoff, folder }: TradeoffOutcome): Record<string, unknown> {
  const { status, plan, cells, table: lines } = tradeoff;
  const privacy = Object.fromEntries(
    cells.flatMap(({ name, training }) => (training?.privacy.length ? [[name, training.privacy]] : [])),
  );
  return {
    ...{ status, out: folder, report: join(folder, TRADEOFF_REPORT_FILES.report), plan },
    ...{ table: lines, privacy, failures: failuresOf(tradeoff) },
  };
}

function failuresOf({ cells }: TradeoffOutcome["tradeoff"]): { id: string; failure: string }[] {
  return cells.flatMap(({ name, failure, trials }) => [
    ...(failure === undefined ? [] : [{ id: name, failure }]),
    ...trials.flatMap((trial) =>
      trial.failure === undefined ? [] : [{ id: `${name} ${trial.id}`, failure: trial.failure }],
    ),
  ]);
}

const WIDTH = 96; // columns of text; our choice
