import { join } from "node:path";
import type { CompareOutcome } from "../audit/index.ts";
import { assumptionLines, COLUMNS, REPORT_FILES, tableNote } from "../report/index.ts";
import { table, wrapped } from "./text-layout.ts";

/** What a comparison came to, for a person at a terminal: a table for each setting and batch size, failures, files. */
export function compareText({ comparison, folder }: CompareOutcome): string {
  const { plan, rows } = comparison;
  const tables = plan.settings.flatMap(({ name, about }) =>
    plan.batches.flatMap(({ size, evaluations }) => {
      const lines = comparison.table.filter((line) => line.setting === name && line.batchSize === size);
      return [
        "",
        `${name}, batch ${size}, ${evaluations} gradient evaluations a trial${about === undefined ? "" : `: ${about}`}`,
        ...table([
          ["attack", ...COLUMNS.map(({ title }) => title)],
          ...lines.map((line) => [line.attack, ...COLUMNS.map(({ text }) => text(line))]),
        ]),
        ...assumptionLines(comparison, { setting: name, batchSize: size }).flatMap((line) => wrapped(line, WIDTH)),
      ];
    }),
  );
  const failures = rows.flatMap((row) =>
    row.failure === undefined
      ? []
      : wrapped(`${row.status === "failed" ? "Failed" : "Interrupted"}: ${row.id}: ${row.failure}`, WIDTH),
  );
  return [
    ...tables,
    "",
    ...wrapped(tableNote(comparison), WIDTH),
    ...(failures.length > 0 ? ["", ...failures] : []),
    "",
    ...table([
      ["report", join(folder, REPORT_FILES.report)],
      ["table", join(folder, REPORT_FILES.csv)],
    ]),
  ].join("\n");
}

/** What a comparison came to, for a program: one JSON object. */
export function compareJson({ comparison, folder }: CompareOutcome): Record<string, unknown> {
  const { status, plan, table: lines, rows, assumptions } = comparison;
  const failures = rows.flatMap(({ id, failure }) => (failure === undefined ? [] : [{ id, failure }]));
  return { status, out: folder, report: join(folder, REPORT_FILES.report), plan, table: lines, assumptions, failures };
}

const WIDTH = 96; // columns of text; our choice
