import type { Command } from "commander";
import { completeSpec, runAttack } from "../audit/index.ts";
import { renderReport } from "../report/index.ts";
import { declareAttackFlags, requestOf } from "./attack-flags.ts";
import { commandLine } from "./command-line.ts";
import { conductRun } from "./conduct-run.ts";

/** `fedleak attack`: one audit of one client's update. */
export function declareAttack(program: Command, exit: (status: number) => void): void {
  const command = program
    .command("attack")
    .description("Rebuild a client's private images from its update and score how well that works.");
  declareAttackFlags(command)
    .option("--out <dir>", "folder of the run, new or empty (default: a fresh one under runs)")
    .option("--json", "print the result as one JSON object")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Readonly<Record<string, unknown>> & Shared) => {
      const spec = completeSpec(requestOf(flags));
      const about = { out: flags.out, command: commandLine(process.argv.slice(2)), render: renderReport };
      exit(await conductRun((watcher) => runAttack(spec, { ...about, ...watcher }), flags));
    });
}

interface Shared {
  readonly out?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  The embedded photographs, labels inferred from the update:
    $ fedleak attack --batch 4 --iterations 300
  Your own images, the labels granted, a network that leaks much:
    $ fedleak attack --images photos --size 32 --model resnet10 --activation sigmoid --grant labels
  A trained network in a round of federated learning, BatchNorm in eval mode:
    $ fedleak attack --images scans --model resnet18-imagenet --size 64 --weights round-2000.safetensors --bn-mode eval
  The paper's attack with another look-ahead, and the control that any number must be read beside:
    $ fedleak attack --attack fedleak --lookahead uphill --gamma 0.3 --mismatched-floor
`;
