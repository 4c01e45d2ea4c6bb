import type { Command } from "commander";
import {
  advise,
  EVALUATIONS,
  MARGIN_DB,
  STRENGTHS,
  startTradeoff,
  type TradeoffOptions,
  type TradeoffOutcome,
} from "../audit/index.ts";
import { renderReport, renderTraining, tradeoffDocuments, tradeoffMarkdown } from "../report/index.ts";
import { commandLine } from "./command-line.ts";
import { USER_ERROR } from "./conduct-run.ts";
import { wholeFrom } from "./flag-values.ts";
import { INTERRUPTED, listenForInterrupt } from "./interrupt.ts";
import { ATTACKS, tradeoffPlan, trainingOptions } from "./tradeoff-flags.ts";
import { showTradeoffProgress } from "./tradeoff-progress.ts";
import { tradeoffJson, tradeoffText } from "./tradeoff-summary.ts";

/** `fedleak tradeoff`: what each defence costs in accuracy, and what still leaks. */
export function declareTradeoff(program: Command, exit: (status: number) => void): void {
  const command = program
    .command("tradeoff")
    .description("Train a model under each defence, attack what its clients send: accuracy against leakage.")
    .requiredOption(
      "--defences <list>",
      "separated by commas: names, or settings of one's own after a colon; + joins several: quantise,soteria:percentile=50+sparsify",
    )
    .option("--strengths <list>", `of the defences that are only named (default: ${STRENGTHS.join(",")})`)
    .option("--local-steps <list>", "a client's steps a round, each with models of its own: 1,4,12 (default: 1)")
    .option("--attacks <list>", `who attacks; the worst counts; settings after a colon (default: ${ATTACKS})`)
    .option("--at <list>", "weights that attacked clients begin with: initial, trained (default: both)")
    .option("--seeds <n>", "batches that are attacked, one a seed (default: 3)", wholeFrom(1))
    .option("--evaluations <n>", `gradient evaluations an attack may use (default: ${EVALUATIONS})`, wholeFrom(1))
    .option("--attack-batch <n>", "images of an attacked update's batch (default: that of the training)", wholeFrom(1))
    .option("--attack-data <path>", "where the private images come from (default: the training's first path)")
    .option("--draw <how>", "one-per-class or uniform: may labels repeat? (default: one-per-class)")
    .option("--grant <list>", "what the server knows beside the batch size, separated by commas")
    .option("--prior <path>", "folder of a trained prior, for attacks that use one")
    .option("--mismatched-floor", "also attack another batch's update in each trial; doubles the time");
  for (const option of trainingOptions()) command.addOption(option);
  command
    .option("--out <dir>", "folder of the trade-off, new or empty (default: a fresh one under runs)")
    .option("--json", "print the result as one JSON object")
    .option("--markdown", "print the tables as Markdown")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Flags) => {
      const plan = tradeoffPlan(flags);
      const about = { out: flags.out, command: commandLine(process.argv.slice(2)) };
      exit(await conductTradeoff((options) => startTradeoff(plan, { ...options, ...about }), flags));
    });
}

interface Shown {
  readonly json?: boolean;
  readonly markdown?: boolean;
}

type Flags = Readonly<Record<string, unknown>> & Shown & { readonly out?: string };

/**
 * Watches a trade-off from its start to its table: progress on stderr, the result on stdout, Ctrl-C in order.
 *
 * Returns the exit status: 0 finished, 2 when no attack has a score, 130 interrupted.
 */
export async function conductTradeoff(
  start: (options: TradeoffOptions) => Promise<TradeoffOutcome>,
  { json, markdown }: Shown,
): Promise<number> {
  const progress = showTradeoffProgress();
  using interrupt = listenForInterrupt(() =>
    progress.note("Stopping after this round or iteration, with a checkpoint. Ctrl-C again stops at once."),
  );
  let outcome: TradeoffOutcome;
  try {
    outcome = await start({
      render: { training: renderTraining, trial: renderReport },
      renderTradeoff: (tradeoff) =>
        tradeoffDocuments(tradeoff, advise(tradeoff, { keepAccuracy: null, marginDb: MARGIN_DB })),
      onEvent: progress.onEvent,
      signal: interrupt.signal,
    });
  } finally {
    progress.end();
  }
  const { tradeoff, folder } = outcome;
  const text = json
    ? JSON.stringify(tradeoffJson(outcome))
    : markdown
      ? tradeoffMarkdown(tradeoff)
      : tradeoffText(outcome);
  process.stdout.write(`${text}\n`);
  if (tradeoff.status === "interrupted") {
    process.stderr.write(`\nContinue it with: fedleak resume ${folder}\n`);
    return INTERRUPTED;
  }
  return tradeoff.table.some(({ attackers }) => attackers.some(({ psnrDb }) => psnrDb !== null)) ? 0 : USER_ERROR;
}

const EXAMPLES = `
Examples:
  Six defences at three strengths, on CIFAR-10, one local step a round:
    $ fedleak tradeoff --defences dp-sgd,adaptive-dp,quantise,sparsify,soteria,outpost --cifar10 data_batch_1.bin \\
        --model lenet-sigmoid --rounds 200 --clients 20 --batch 8 --grant labels --out runs/tradeoff
  One defence with settings of one's own, at one and at four local steps, against two attackers:
    $ fedleak tradeoff --defences quantise:bits=3 --local-steps 1,4 --attacks fedleak-release,inverting-gradients
  What to take of it:
    $ fedleak advise runs/tradeoff --keep-accuracy 0.9
`;
