import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { completeSpec, EXPLAIN_FILES, type Explanation, explainAttack, PARTS, type PartName } from "../audit/index.ts";
import { findings, renderExplanation } from "../report/index.ts";
import { closest, FedleakError } from "../util/index.ts";
import { declareAttackFlags, requestOf } from "./attack-flags.ts";
import { commandLine } from "./command-line.ts";
import { USER_ERROR } from "./conduct-run.ts";
import { showExplainProgress } from "./explain-progress.ts";
import { wholeFrom } from "./flag-values.ts";
import { INTERRUPTED, listenForInterrupt } from "./interrupt.ts";
import { table, wrapped } from "./text-layout.ts";

/** `fedleak explain`: the paper's own diagnostics of any attack setting. */
export function declareExplain(program: Command, exit: (status: number) => void): void {
  const command = program
    .command("explain")
    .description(
      "Show why an attack converges or does not: μ/L, noise, sensitivity, damping; takes the flags of attack.",
    );
  declareAttackFlags(command)
    .option("--only <list>", `parts to compute, separated by commas: ${PARTS.join(", ")} (default: all)`, partsOf)
    .option("--probes <n>", "points along each run at which μ and L are measured", wholeFrom(2, MOST), PROBES)
    .option("--draws <n>", "draws of noise at each strength", wholeFrom(1, MOST), DRAWS)
    .option(
      "--entries <n>",
      "gradient entries whose sensitivity is measured, in each scope",
      wholeFrom(3, MOST),
      ENTRIES,
    )
    .option("--out <dir>", "folder, new or of an earlier go, which goes on (default: a fresh one under runs)")
    .option("--json", "print the result as one JSON object")
    .addHelpText("after", HELP)
    .action(async (flags: Readonly<Record<string, unknown>> & Flags) => exit(await explain(flags)));
}

interface Flags {
  readonly only?: readonly PartName[];
  readonly probes: number;
  readonly draws: number;
  readonly entries: number;
  readonly out?: string;
  readonly json?: boolean;
}

const [PROBES, DRAWS, ENTRIES] = [20, 5, 200]; // our choice: minutes on a small network, and curves that can be read
const MOST = 100_000; // our choice: more than any chart shows

const HELP = `
--peek, --mismatched-floor and --checkpoint-every have no effect here. Without --iterations, 100 are run, four times.
The parts compare the private images with what the attack does; the attack itself never sees them.

Examples:
  The paper's own figures on a small network:
    $ fedleak explain --attack fedleak --model lenet-sigmoid --batch 1 --grant labels
  One part only; the others can be added later with the same --out:
    $ fedleak explain --model resnet10 --activation sigmoid --only noise --out runs/why
`;

async function explain(flags: Readonly<Record<string, unknown>> & Flags): Promise<number> {
  const { measure: _, checkpointEvery: __, ...request } = requestOf(flags); // they are of runs, and must not tell two settings apart
  const { probes, draws, entries } = flags;
  const progress = showExplainProgress();
  using interrupt = listenForInterrupt(() =>
    progress.note("Stopping in order: what is there is kept. Ctrl-C again stops at once."),
  );
  let outcome: Awaited<ReturnType<typeof explainAttack>>;
  try {
    outcome = await explainAttack(completeSpec(request), {
      options: { probes, draws, entries },
      only: flags.only ?? PARTS,
      out: flags.out,
      command: commandLine(process.argv.slice(2)),
      render: renderExplanation,
      onEvent: progress.onEvent,
      signal: interrupt.signal,
    });
  } catch (error) {
    progress.end();
    const { aborted, reason } = interrupt.signal;
    if (!aborted || !(error instanceof FedleakError) || error.cause !== reason) throw error; // not by the interruption
    process.stderr.write(`${error.message}\n`);
    if (flags.json) process.stdout.write(`${JSON.stringify({ status: "interrupted", message: error.message })}\n`);
    return INTERRUPTED;
  }
  progress.end();
  const { folder, found } = outcome;
  process.stdout.write(`${flags.json ? JSON.stringify(summaryJson(found, folder)) : summaryText(found, folder)}\n`);
  if (found.status === "interrupted") {
    process.stderr.write(`\nGo on with the same command and --out ${folder}\n`);
    return INTERRUPTED;
  }
  return found.status === "finished" ? 0 : USER_ERROR;
}

/** The parts of a list such as `noise,damping`, each once. */
function partsOf(text: string): readonly PartName[] {
  const names = text.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !PARTS.includes(name as PartName));
  if (wrong !== undefined) {
    const near = closest(wrong, PARTS);
    throw new InvalidArgumentError(`It must list some of ${PARTS.join(", ")}.${near ? ` Did you mean ${near}?` : ""}`);
  }
  return PARTS.filter((part) => names.includes(part));
}

const WIDTH = 96; // columns of text; our choice

function summaryText(found: Explanation, folder: string): string {
  const told = findings(found);
  return [
    "",
    ...PARTS.flatMap((part) => {
      const [text, state] = [told[part], found.parts[part]?.status];
      if (text === undefined) return [];
      return [
        `${part}${state === "finished" ? "" : ` (${state})`}`,
        ...wrapped([text.sentence, text.more ?? ""].join(" ").trim(), WIDTH - 2).map((line) => `  ${line}`),
        "",
      ];
    }),
    ...wrapped("These numbers need the private images: the audit has them, the attack was never given them.", WIDTH),
    "",
    ...table([
      ["report", join(folder, EXPLAIN_FILES.report)],
      ["numbers", join(folder, EXPLAIN_FILES.json)],
    ]),
  ].join("\n");
}

/** For a program: what was found, without the points and entries, which are in explain.json. */
function summaryJson(found: Explanation, folder: string): Record<string, unknown> {
  const { status, spec, seed, parts } = { ...found, seed: found.spec.seed };
  return {
    status,
    attack: spec.attack.name,
    model: spec.model.name,
    seed,
    out: folder,
    report: join(folder, EXPLAIN_FILES.report),
    numbers: join(folder, EXPLAIN_FILES.json),
    parts: Object.fromEntries(
      PARTS.flatMap((part) => {
        const made = parts[part];
        return made
          ? [[part, { status: made.status, seconds: made.seconds, finding: findings(found)[part]?.sentence }]]
          : [];
      }),
    ),
    ...(parts.sensitivity && {
      correlations: Object.fromEntries(
        parts.sensitivity.scopes.map(({ name, pearson, spearman, sampled, entries }) => [
          name,
          { pearson, spearman, sampled, entries },
        ]),
      ),
    }),
    assumptions: Object.fromEntries(found.ledger.map(({ assumption, value }) => [assumption, value])),
  };
}
