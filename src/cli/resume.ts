import type { Command } from "commander";
import {
  isAudit,
  isComparison,
  isExplanation,
  isPrior,
  isTradeoff,
  isTraining,
  programStore,
  resumeAudit,
  resumeComparison,
  resumeExplanation,
  resumePrior,
  resumeRun,
  resumeTradeoff,
  resumeTraining,
} from "../audit/index.ts";
import { renderAudit, renderReport, renderTraining } from "../report/index.ts";
import { conductComparison } from "./compare.ts";
import { conductAudit } from "./conduct-audit.ts";
import { conductRun } from "./conduct-run.ts";
import { conductTrain } from "./conduct-train.ts";
import { conductExplanation } from "./explain-conduct.ts";
import { conductTradeoff } from "./tradeoff.ts";
import { conductPriorTraining } from "./train-prior.ts";

/** `fedleak resume`: goes on with a run that was stopped or killed. */
export function declareResume(program: Command, exit: (status: number) => void): void {
  program
    .command("resume")
    .description("Continue a stopped or killed run; it ends as if it had never stopped.")
    .argument("<run>", "the run's folder")
    .option("--json", "print the result as one JSON object")
    .addHelpText("after", "\nExample:\n  $ fedleak resume runs/fedleak-release-resnet10-20260314-092653\n")
    .action(async (folder: string, flags: { readonly json?: boolean }) => {
      if (await isComparison(folder)) {
        return exit(await conductComparison((options) => resumeComparison(folder, options), flags));
      }
      if (await isExplanation(folder)) {
        return exit(await conductExplanation((watcher) => resumeExplanation(folder, watcher), flags));
      }
      if (await isTradeoff(folder)) {
        return exit(await conductTradeoff((options) => resumeTradeoff(folder, options), flags));
      }
      if (await isPrior(folder)) {
        return exit(await conductPriorTraining((watcher) => resumePrior(folder, watcher), flags));
      }
      if (await isTraining(folder)) {
        const go = { render: renderTraining };
        return exit(await conductTrain((watcher) => resumeTraining(folder, { ...go, ...watcher }), flags));
      }
      if (await isAudit(folder)) {
        const go = { render: renderAudit };
        return exit(await conductAudit((watcher) => resumeAudit(folder, { ...go, ...watcher }), flags));
      }
      exit(
        await conductRun(
          (watcher) => resumeRun(folder, { render: renderReport, store: programStore(), ...watcher }),
          flags,
        ),
      );
    });
}
