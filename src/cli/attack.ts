import { type Command, Option } from "commander";
import {
  AUTO,
  chooseAttack,
  completeSpec,
  programStore,
  type RunSpec,
  runAttack,
  type Watcher,
} from "../audit/index.ts";
import { renderReport } from "../report/index.ts";
import { fail } from "../util/index.ts";
import { declareAttackFlags, requestOf } from "./attack-flags.ts";
import { commandLine } from "./command-line.ts";
import { conductRun } from "./conduct-run.ts";
import { duration } from "./flag-values.ts";

/** `fedleak attack`: one audit of one client's update. */
export function declareAttack(program: Command, exit: (status: number) => void): void {
  const command = program
    .command("attack")
    .description("Rebuild a client's private images from its update and score how well that works.");
  declareAttackFlags(command)
    .option("--out <dir>", "folder of the run, new or empty (default: a fresh one under runs)")
    .addOption(
      new Option(
        "--budget <time>",
        `time for --attack ${AUTO}, which chooses the attack: 90s, 10m, 2h (default: ${BUDGET})`,
      ).argParser(duration),
    )
    .option("--json", "print the result as one JSON object")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Readonly<Record<string, unknown>> & Shared) => {
      const asked = completeSpec(requestOf(flags));
      const budgetMs = budgetOf(asked, flags);
      const about = {
        out: flags.out,
        command: commandLine(process.argv.slice(2)),
        render: renderReport,
        store: programStore(),
      };
      const start = async (watcher: Watcher) => {
        const spec = budgetMs === undefined ? asked : await chooseAttack(asked, budgetMs, watcher);
        return runAttack(spec, { ...about, ...watcher });
      };
      exit(await conductRun(start, flags));
    });
}

interface Shared {
  readonly out?: string;
  readonly json?: boolean;
  /** In milliseconds. */
  readonly budget?: number;
}

const BUDGET = "10m"; // our choice: about what one waits for

/** The milliseconds that "auto" has; undefined where the attack is named. */
function budgetOf({ attack }: RunSpec, { budget }: Shared): number | undefined {
  if (attack.name === AUTO) return budget ?? duration(BUDGET);
  if (budget === undefined) return undefined;
  return fail({
    who: "--budget",
    must: `it goes with --attack ${AUTO}`,
    got: `--attack ${attack.name}`,
    remedy: `Use --attack ${AUTO}, or --evaluations to bound a named attack.`,
  });
}

const EXAMPLES = `
Examples:
  The embedded photographs, labels inferred from the update:
    $ fedleak attack --batch 4 --iterations 300
  Your own images, the labels granted, a network that leaks much:
    $ fedleak attack --images photos --size 32 --model resnet10 --activation sigmoid --grant labels
  A trained network in a round of federated learning, BatchNorm in eval mode:
    $ fedleak attack --images scans --model resnet18-imagenet --size 64 --weights round-2000.safetensors --bn-mode eval
  Whatever rebuilds most in a quarter of an hour: closed forms where they apply, else the best search:
    $ fedleak attack --attack auto --budget 15m --model mlp3 --batch 1
  The paper's attack with another look-ahead, and the control that any number must be read beside:
    $ fedleak attack --attack fedleak --lookahead uphill --gamma 0.3 --mismatched-floor
`;
