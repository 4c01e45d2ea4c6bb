import { availableParallelism } from "node:os";
import type { Command } from "commander";
import {
  type CompareOptions,
  type CompareOutcome,
  EVALUATIONS,
  MOST_THREADS,
  resumeComparison,
  startComparison,
} from "../audit/index.ts";
import { comparisonDocuments, comparisonMarkdown, renderReport } from "../report/index.ts";
import { fail } from "../util/index.ts";
import { commandLine } from "./command-line.ts";
import { runApart } from "./compare-jobs.ts";
import { planOf, subjectOptions } from "./compare-plan.ts";
import { showCompareProgress } from "./compare-progress.ts";
import { compareJson, compareText } from "./compare-summary.ts";
import { USER_ERROR } from "./conduct-run.ts";
import { wholeFrom } from "./flag-values.ts";
import { INTERRUPTED, listenForInterrupt } from "./interrupt.ts";

/** `fedleak compare`: several attacks on the same batches with the same budget. */
export function declareCompare(program: Command, exit: (status: number) => void): void {
  const command = program
    .command("compare")
    .description("Compare attacks: the same batches, weights and budget of gradient evaluations for each, over seeds.")
    .option("--attacks <list>", "separated by commas; settings of one's own after a colon: fedleak:gamma=0.3,tv=0")
    .option("--plan <file>", "a plan in JSON, for several settings; flags below that say the same go before it")
    .option("--setting <name=flag:value,...>", "a named setting, by the flags of attack; may be repeated", listed)
    .option("--seeds <n>", "batches and weights, one of each a seed (default: 3)", wholeFrom(1))
    .option("--seed <n>", "the first seed (default: 0)", wholeFrom(0))
    .option("--batches <list>", "batch sizes, each with evaluations of its own if need be: 4,8:600 (default: 4)")
    .option("--evaluations <n>", `gradient evaluations a trial may use (default: ${EVALUATIONS})`, wholeFrom(1))
    .option("--reference <attack>", "the attack that the others are held against (default: the first)")
    .option("--mismatched-floor", "also attack another batch's update in each trial; doubles the time")
    .option("--checkpoint-every <n>", "iterations between checkpoints (default: 50)", wholeFrom(1))
    .option("--device <name>", "where to compute (default: cpu)")
    .option(
      "--threads <n>",
      "processor threads of a trial (default: one a core, shared by the jobs)",
      wholeFrom(0, MOST_THREADS),
    );
  for (const option of subjectOptions()) command.addOption(option);
  command
    .option("--out <dir>", "folder of the comparison, new or empty (default: a fresh one under runs)")
    .option("--jobs <n>", "trials at once, in processes of their own (default: 1)", wholeFrom(1, MOST_JOBS))
    .option("--resume <dir>", "go on with the comparison in this folder; it tells the rest")
    .option("--json", "print the result as one JSON object")
    .option("--markdown", "print the tables as Markdown")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Flags) => {
      if (flags.resume !== undefined) {
        checkAlone(flags);
        const folder = flags.resume;
        exit(await conductComparison((options) => resumeComparison(folder, options), flags));
        return;
      }
      const { jobs = 1 } = flags;
      const threads = jobs > 1 ? Math.max(1, Math.floor(availableParallelism() / jobs)) : undefined;
      const plan = await planOf(flags, threads);
      const about = { out: flags.out, command: commandLine(process.argv.slice(2)) };
      exit(await conductComparison((options) => startComparison(plan, { ...options, ...about }), flags));
    });
}

/** How many trials are run at once, and how the result is printed. */
export interface Shown {
  readonly jobs?: number;
  readonly json?: boolean;
  readonly markdown?: boolean;
}

type Flags = Readonly<Record<string, unknown>> & Shown & { readonly out?: string; readonly resume?: string };

/**
 * Watches a comparison from its start to its table: progress on stderr, the result on stdout, Ctrl-C in order.
 *
 * Returns the exit status: 0 finished, 2 when no trial has a score, 130 interrupted.
 */
export async function conductComparison(
  start: (options: CompareOptions) => Promise<CompareOutcome>,
  { jobs, json, markdown }: Shown,
): Promise<number> {
  const progress = showCompareProgress();
  using interrupt = listenForInterrupt(() =>
    progress.note("Stopping after this iteration, with a checkpoint. Ctrl-C again stops at once."),
  );
  let outcome: CompareOutcome;
  try {
    outcome = await start({
      render: renderReport,
      renderComparison: comparisonDocuments,
      apart: runApart,
      jobs,
      onEvent: progress.onEvent,
      signal: interrupt.signal,
    });
  } finally {
    progress.end();
  }
  const { comparison, folder } = outcome;
  const text = json
    ? JSON.stringify(compareJson(outcome))
    : markdown
      ? comparisonMarkdown(comparison)
      : compareText(outcome);
  process.stdout.write(`${text}\n`);
  if (comparison.status === "interrupted") process.stderr.write(`\nContinue it with: fedleak resume ${folder}\n`);
  if (comparison.status === "interrupted") return INTERRUPTED;
  return comparison.rows.some(({ result }) => result !== undefined) ? 0 : USER_ERROR;
}

function listed(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function checkAlone({ resume: _, json: _j, markdown: _m, jobs: _n, ...others }: Flags): void {
  const [flag] = Object.keys(others);
  if (flag === undefined) return;
  fail({
    who: "--resume",
    must: "the comparison goes on as it began",
    got: `${flag} too`,
    remedy: "Leave it away, or start another comparison.",
  });
}

const MOST_JOBS = 64; // our choice: each holds a network and its gradients

const EXAMPLES = `
Examples:
  Two attacks on three batches of four photographs each, 300 gradient evaluations a trial:
    $ fedleak compare --attacks fedleak-release,inverting-gradients --activation sigmoid --grant labels
  The same attack with another look-ahead beside it, at two batch sizes:
    $ fedleak compare --attacks fedleak,fedleak:gamma=0,inverting-gradients --batches 4,8:600 --reference fedleak
  Two settings in one table:
    $ fedleak compare --attacks fedleak-release,inverting-gradients --images scans --size 32 \\
        --setting easy=activation:sigmoid,grant:labels --setting trained=weights:round-2000.safetensors,bn-mode:eval
  Go on with one that was stopped:
    $ fedleak compare --resume runs/compare-2-attacks-20260314-092653
`;
