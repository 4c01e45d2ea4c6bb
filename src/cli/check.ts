import type { Command } from "commander";
import { type CheckReport, checkFolder, MOST_THREADS, VERDICTS } from "../audit/index.ts";
import { parseDevice } from "../runtime/index.ts";
import { wholeFrom } from "./flag-values.ts";
import { type Row, table, wrapped } from "./text-layout.ts";

/** `fedleak check`: whether a captured update is what it says, and what it is worth attacking, in seconds. */
export function declareCheck(program: Command, exit: (status: number) => void): void {
  program
    .command("check")
    .description("Check a captured update before hours are spent on it: is it consistent, and how far can it leak?")
    .argument("<update>", "the update's folder, with manifest.json (docs/captured-update.md)")
    .option("--device <name>", "where to compute", "cpu")
    .option("--threads <n>", "processor threads (default: one a core)", wholeFrom(0, MOST_THREADS), 0)
    .option("--json", "print the report as one JSON object")
    .addHelpText("after", EXAMPLES)
    .action(async (folder: string, { device, threads, json = false }: Flags) => {
      const report = await checkFolder(folder, { device: parseDevice(device), threads });
      process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${checkText(report)}\n`);
      exit(report.consistent ? 0 : INCONSISTENT);
    });
}

interface Flags {
  readonly device: string;
  readonly threads: number;
  readonly json?: boolean;
}

const INCONSISTENT = 1; // exit status

const EXAMPLES = `
The verdict is exact (proved by a closed form), likely, hard or hopeless (rules of thumb; the reasons are printed). The exit
status is 1 when the files contradict themselves or each other: weights of another round, another learning rate, missing layers.

Examples:
  An update that fedleak train captured:
    $ fedleak train --cifar10 data_batch_1.bin --rounds 20 --capture client=3,round=19 --out runs/train
    $ fedleak check runs/train/captured/client-3-round-19
  Your own, for a program:
    $ fedleak check my-update --json
`;

/** A report for a person at a terminal: the verdict first, then what was tested, then numbers by layer. */
export function checkText(report: CheckReport, width = WIDTH): string {
  const { verdict, reasons, consistent, findings, layers, labelCounts, labelsAbout, closedForms, notes } = report;
  const listed = (mark: string, text: string) =>
    wrapped(text, width - 2).map((line, i) => `${i === 0 ? mark : " "} ${line}`);
  const counts = labelCounts ? Object.entries(labelCounts).map(([name, count]) => `${name} × ${count}`) : [];
  return [
    "",
    `${verdict.toUpperCase()}: ${VERDICTS[verdict]}`,
    ...reasons.flatMap((reason) => listed("·", reason)),
    "",
    consistent ? "The files are consistent, as far as they can be tested." : "The files are NOT consistent.",
    ...findings.flatMap(({ level, text }) => listed(MARKS[level], text)),
    "",
    ...table([
      ["model", report.model],
      ["sent", report.sent],
      ["images", report.images === null ? "not known" : `${report.images} behind this update`],
      ["equations", `${report.equations} for ${report.unknowns ?? "an unknown number of"} unknowns`],
      ["labels", counts.length > 0 ? counts.join(", ") : "–"],
      ...closedForms.map(({ method, about }): Row => [method, about]),
    ]),
    ...listed("·", `labels: ${labelsAbout}`),
    "",
    ...table([["tensor", "shape", "‖gradient‖", "‖weights‖", "zeros", "rank"], ...layers.map(layerRow)]),
    ...(notes.length > 0 ? ["", ...notes.flatMap((note) => listed("·", note))] : []),
  ].join("\n");
}

const WIDTH = 96; // columns of text; our choice
const MARKS = { broken: "✗", doubt: "!", note: "·", passed: "✓" } as const;

function layerRow({ name, shape, norm, weightNorm, zeros, rank, rankLimit }: CheckReport["layers"][number]): Row {
  const share =
    (100 * zeros) /
    Math.max(
      1,
      shape.reduce((a, b) => a * b, 1),
    );
  return [
    name,
    shape.join("×"),
    norm === null ? "missing" : norm.toPrecision(3),
    weightNorm.toPrecision(3),
    norm === null ? "" : `${share.toFixed(0)} %`,
    rank === null ? "" : `${rank}${rank === rankLimit ? " or more" : ""}`,
  ];
}
