import type { Comparison, TableLine } from "../../audit/index.ts";
import { assumptionLines } from "./assumption-text.ts";
import { COLUMNS } from "./columns.ts";

/** The table as GitHub-flavoured Markdown, one for each setting and batch size, with what every reader must know under it. */
export function comparisonMarkdown(comparison: Comparison): string {
  const { plan, table } = comparison;
  const cells = plan.settings.flatMap(({ name, about }) => plan.batches.map((batch) => ({ name, about, ...batch })));
  const tables = cells.map(({ name, about, size, evaluations }) => {
    const lines = table.filter((line) => line.setting === name && line.batchSize === size);
    const row = (texts: readonly string[]) => `| ${texts.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
    return [
      `**${name}**, batch ${size}, ${evaluations} gradient evaluations a trial${about === undefined ? "" : `: ${about}`}`,
      "",
      row(["attack", ...COLUMNS.map(({ title }) => title)]),
      row(["---", ...COLUMNS.map(() => "---:")]),
      ...lines.map((line) => row([line.attack, ...COLUMNS.map(({ text }) => text(line))])),
      ...assumptionLines(comparison, { setting: name, batchSize: size }).flatMap((line) => ["", escaped(line)]),
    ].join("\n");
  });
  return [...tables, tableNote(comparison)].join("\n\n");
}

/** Text that Markdown shows as it is: labels and paths are the user's. */
function escaped(text: string): string {
  return text.replace(/[\\`*_<>|[\]]/g, "\\$&");
}

/** How the table is to be read, in a few sentences. */
export function tableNote({ plan, jobs }: Pick<Comparison, "plan" | "jobs">): string {
  const seeds = plan.seeds.length === 1 ? "seed" : "seeds";
  const threads =
    plan.threads === 0 ? "one thread a core" : `${plan.threads} ${plan.threads === 1 ? "thread" : "threads"}`;
  return (
    `PSNR in dB over ${plan.seeds.length} ${seeds} (${plan.seeds.join(", ")}), ${seedText(plan)}; ` +
    `reference: ${plan.reference}. The budget is counted in gradient evaluations of the audited model, not in iterations. ` +
    "95 % intervals are by the bootstrap and too short over few values: over 4 they hold the mean in about 80 % of cases. " +
    `Seconds are of a trial with ${threads}, ${jobs === 1 ? "alone" : `${jobs} trials at once`}.`
  );
}

/** What a seed changes, in each setting: a weights file stays what it is. */
export function seedText({ settings }: Pick<Comparison["plan"], "settings">): string {
  const filed = settings.filter(
    ({ model }) => typeof (model as { weights?: unknown } | undefined)?.weights === "string",
  );
  const same = "the same for all attacks";
  if (filed.length === 0) return `each another batch and other weights, ${same}`;
  if (filed.length === settings.length)
    return `each another batch, ${same}; the weights are those of a file, at every seed`;
  const names = filed.map(({ name }) => name).join(", ");
  return `each another batch and, but for ${names} with the weights of a file, other weights, ${same}`;
}

/** The table as CSV (RFC 4180) with full precision: one line for each setting, batch size and attack. */
export function comparisonCsv({ table }: Pick<Comparison, "table">): string {
  const names = CSV.map(([name]) => name);
  const lines = table.map((line) => CSV.map(([, value]) => cell(value(line))));
  return [names, ...lines].map((cells) => `${cells.join(",")}\r\n`).join("");
}

type Value = string | number | boolean | null | undefined;

const CSV: readonly (readonly [name: string, value: (line: TableLine) => Value])[] = [
  ["setting", (line) => line.setting],
  ["batch_size", (line) => line.batchSize],
  ["attack", (line) => line.attack],
  ["trials", (line) => line.trials.planned],
  ["trials_scored", (line) => line.trials.scored],
  ["trials_failed", (line) => line.trials.failed],
  ["psnr_one_to_one_db", (line) => line.psnrDb?.oneToOne],
  ["psnr_one_to_one_low95_db", (line) => line.psnrInterval95Db.oneToOne?.[0]],
  ["psnr_one_to_one_high95_db", (line) => line.psnrInterval95Db.oneToOne?.[1]],
  ["psnr_many_to_one_db", (line) => line.psnrDb?.manyToOne],
  ["psnr_many_to_one_low95_db", (line) => line.psnrInterval95Db.manyToOne?.[0]],
  ["psnr_many_to_one_high95_db", (line) => line.psnrInterval95Db.manyToOne?.[1]],
  ["ssim_one_to_one", (line) => line.ssim.oneToOne],
  ["ssim_many_to_one", (line) => line.ssim.manyToOne],
  ["floor_db", (line) => line.floorDb],
  ["above_floor_db", (line) => line.leakageDb],
  ["labels_granted", (line) => line.labels?.granted],
  ["label_count_accuracy", (line) => line.labels?.countAccuracy],
  ["difference_db", (line) => line.difference?.meanDb],
  ["difference_low95_db", (line) => line.difference?.interval95Db?.[0]],
  ["difference_high95_db", (line) => line.difference?.interval95Db?.[1]],
  ["difference_seeds", (line) => line.difference?.seeds],
  ["evaluations", (line) => line.evaluations],
  ["seconds", (line) => line.seconds],
];

function cell(value: Value): string {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
