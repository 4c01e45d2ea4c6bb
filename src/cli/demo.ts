import type { Command } from "commander";
import { completeSpec, programStore, runAttack } from "../audit/index.ts";
import { renderReport } from "../report/index.ts";
import { commandLine } from "./command-line.ts";
import { conductRun } from "./conduct-run.ts";
import { DEMO } from "./demo-settings.ts";

/** `fedleak demo`: a short audit that succeeds, on images that came with the program. */
export function declareDemo(program: Command, exit: (status: number) => void): void {
  program
    .command("demo")
    .description("Attack four embedded photographs and show what leaks: about two minutes on two cores.")
    .option("--out <dir>", "folder of the run, new or empty (default: a fresh one under runs)")
    .option("--json", "print the result as one JSON object")
    .addHelpText("after", "\nExamples:\n  $ fedleak demo\n  $ fedleak demo --out runs/first --json\n")
    .action(async (flags: { readonly out?: string; readonly json?: boolean }) => {
      const about = {
        out: flags.out,
        command: commandLine(process.argv.slice(2)),
        render: renderReport,
        store: programStore(),
      };
      exit(await conductRun((watcher) => runAttack(completeSpec(DEMO), { ...about, ...watcher }), flags));
    });
}
