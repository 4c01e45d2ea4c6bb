import type { Command } from "commander";
import { resumeRun } from "../audit/index.ts";
import { renderReport } from "../report/index.ts";
import { conductRun } from "./conduct-run.ts";

/** `fedleak resume`: goes on with a run that was stopped or killed. */
export function declareResume(program: Command, exit: (status: number) => void): void {
  program
    .command("resume")
    .description("Continue a stopped or killed run; it ends as if it had never stopped.")
    .argument("<run>", "the run's folder")
    .option("--json", "print the result as one JSON object")
    .addHelpText("after", "\nExample:\n  $ fedleak resume runs/fedleak-release-resnet10-20260314-092653\n")
    .action(async (folder: string, flags: { readonly json?: boolean }) => {
      exit(await conductRun((watcher) => resumeRun(folder, { render: renderReport, ...watcher }), flags));
    });
}
