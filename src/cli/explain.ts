import { type Command, InvalidArgumentError } from "commander";
import { completeSpec, explainAttack, PARTS, type PartName } from "../audit/index.ts";
import { closest } from "../util/index.ts";
import { declareAttackFlags, requestOf } from "./attack-flags.ts";
import { commandLine } from "./command-line.ts";
import { conductExplanation } from "./explain-conduct.ts";
import { wholeFrom } from "./flag-values.ts";

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
  const { probes, draws, entries, only = PARTS, out } = flags;
  const about = { options: { probes, draws, entries }, only, out, command: commandLine(process.argv.slice(2)) };
  return conductExplanation((watcher) => explainAttack(completeSpec(request), { ...about, ...watcher }), flags);
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
