import type { Attacker, Tradeoff, TradeoffLine } from "../../audit/index.ts";
import { TRADEOFF_COLUMNS, tradeoffNote } from "./columns.ts";
import { panelsOf } from "./lines.ts";

/** The table as GitHub-flavoured Markdown, one for each place and number of local steps, with its note under it. */
export function tradeoffMarkdown(tradeoff: Tradeoff): string {
  const row = (texts: readonly string[]) => `| ${texts.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  const tables = panelsOf(tradeoff).map(({ title, lines }) =>
    [
      `**${title}**`,
      "",
      row(["setting", ...TRADEOFF_COLUMNS.map((column) => column.title)]),
      row(["---", ...TRADEOFF_COLUMNS.map(() => "---:")]),
      ...lines.map((line) => row([line.cell, ...TRADEOFF_COLUMNS.map(({ text }) => text(line))])),
    ].join("\n"),
  );
  return [...tables, tradeoffNote(tradeoff)].join("\n\n");
}

/** The table as CSV (RFC 4180) with full precision: one line for each setting, place and attacker. */
export function tradeoffCsv({ table }: Pick<Tradeoff, "table">): string {
  const lines = table.flatMap((line) =>
    line.attackers.map((attacker, i) => CSV.map(([, value]) => cell(value(line, attacker, i)))),
  );
  return [CSV.map(([name]) => name), ...lines].map((cells) => `${cells.join(",")}\r\n`).join("");
}

type Value = string | number | boolean | null | undefined;

const CSV: readonly (readonly [name: string, value: (line: TradeoffLine, of: Attacker, place: number) => Value])[] = [
  ["setting", (line) => line.cell],
  ["defence", (line) => line.defence],
  ["strength", (line) => line.strength],
  ["local_steps", (line) => line.localSteps],
  ["weights", (line) => line.place],
  ["accuracy", (line) => line.accuracy],
  ["accuracy_low95", (line) => line.accuracyInterval95?.[0]],
  ["accuracy_high95", (line) => line.accuracyInterval95?.[1]],
  ["accuracy_majority_floor", (line) => line.accuracyFloor],
  ["attack", (_, { attack }) => attack],
  ["worst", (_, { psnrDb }, i) => i === 0 && psnrDb !== null],
  ["psnr_one_to_one_db", (_, { psnrDb }) => psnrDb],
  ["psnr_low95_db", (_, { interval95Db }) => interval95Db?.[0]],
  ["psnr_high95_db", (_, { interval95Db }) => interval95Db?.[1]],
  ["floor_db", (line) => line.floorDb],
  ["floor_lowest_db", (line) => line.floorRangeDb?.[0]],
  ["floor_highest_db", (line) => line.floorRangeDb?.[1]],
  ["above_floor_db", (_, { leakageDb }) => leakageDb],
  ["above_floor_low95_db", (_, { leakageInterval95Db }) => leakageInterval95Db?.[0]],
  ["above_floor_high95_db", (_, { leakageInterval95Db }) => leakageInterval95Db?.[1]],
  ["evaluations", (_, { evaluations }) => evaluations],
  ["trials", (_, { trials }) => trials.planned],
  ["trials_scored", (_, { trials }) => trials.scored],
  ["trials_failed", (_, { trials }) => trials.failed],
];

function cell(value: Value): string {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
