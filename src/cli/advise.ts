import type { Command } from "commander";
import { type Advice, advise, MARGIN_DB, readTradeoff } from "../audit/index.ts";
import { adviceText, leakText } from "../report/index.ts";
import { notNegative } from "./flag-values.ts";
import { table, wrapped } from "./text-layout.ts";

/** `fedleak advise`: the cheapest setting of a trade-off that keeps the leakage at the floor. */
export function declareAdvise(program: Command, exit: (status: number) => void): void {
  program
    .command("advise")
    .description("Say which setting of a trade-off keeps the leakage at the floor at the least cost in accuracy.")
    .argument("<tradeoff>", "the folder of a trade-off, or its tradeoff.json")
    .option("--keep-accuracy <share>", "least share of the undefended accuracy to keep: 0.9", notNegative)
    .option(
      "--margin <dB>",
      `how far the interval's upper end may lie above the floor (default: ${MARGIN_DB})`,
      notNegative,
    )
    .option("--json", "print the advice as one JSON object")
    .addHelpText("after", EXAMPLES)
    .action(async (path: string, { keepAccuracy, margin, json }: Flags) => {
      const options = { keepAccuracy: keepAccuracy ?? null, marginDb: margin ?? MARGIN_DB };
      const advice = advise(await readTradeoff(path), options);
      const { title, sentences } = adviceText(advice);
      process.stdout.write(
        `${json ? JSON.stringify({ ...advice, words: [title, ...sentences] }) : adviceLines(advice)}\n`,
      );
      exit(advice.outcome === "recommended" ? 0 : NOTHING);
    });
}

interface Flags {
  readonly keepAccuracy?: number;
  readonly margin?: number;
  readonly json?: boolean;
}

const NOTHING = 1; // nothing can be recommended

function adviceLines(advice: Advice): string {
  const { title, sentences } = adviceText(advice);
  const paragraph = (text: string) => wrapped(text, WIDTH);
  const listed = (texts: readonly string[]) =>
    texts.flatMap((text) => wrapped(text, WIDTH - 2).map((line, i) => `${i === 0 ? "- " : "  "}${line}`));
  return [
    title,
    "",
    ...sentences.flatMap(paragraph),
    "",
    ...table([
      ["setting", "accuracy", "of undefended", "verdict", "worst attacker"],
      ...advice.judged.map(({ cell, accuracy, kept, verdict, worst }) => [
        cell.name,
        accuracy === null ? "–" : `${(100 * accuracy).toFixed(1)} %`,
        kept === null ? "–" : `${(100 * kept).toFixed(0)} %`,
        VERDICTS[verdict],
        worst === null ? "–" : leakText(worst),
      ]),
    ]),
    "",
    "This assumes:",
    ...listed(advice.assumptions),
    "",
    "Not tested:",
    ...listed(advice.notTested),
  ].join("\n");
}

const VERDICTS: Readonly<Record<Advice["judged"][number]["verdict"], string>> = {
  holds: "holds",
  leaks: "leaks",
  "costs-too-much": "holds, costs too much",
  "not-measured": "not measured",
  untold: "cannot tell",
};

const WIDTH = 96; // columns of text; our choice

const EXAMPLES = `
Exit status: 0 where a setting can be recommended, else 1.

Examples:
  $ fedleak advise runs/tradeoff
  $ fedleak advise runs/tradeoff --keep-accuracy 0.9
`;
