import { join } from "node:path";
import { FILES, type TrainOutcome, type TrainWatcher, WEIGHTS_FILE } from "../audit/index.ts";
import { USER_ERROR } from "./conduct-run.ts";
import { INTERRUPTED, listenForInterrupt } from "./interrupt.ts";
import { table } from "./text-layout.ts";
import { showTrainProgress } from "./train-progress.ts";

/**
 * Watches a training from its start to its summary: progress on stderr, the result on stdout, Ctrl-C in order.
 *
 * Returns the exit status: 0 finished, 2 failed, 130 interrupted.
 */
export async function conductTrain(
  start: (watcher: TrainWatcher) => Promise<TrainOutcome>,
  { json = false }: { readonly json?: boolean | undefined },
): Promise<number> {
  const progress = showTrainProgress();
  using interrupt = listenForInterrupt(() =>
    progress.note("Stopping after this step or round, with a checkpoint. Ctrl-C again stops at once."),
  );
  const outcome = await start({ onEvent: progress.onEvent, signal: interrupt.signal }).finally(progress.end);
  const { status } = outcome.record;
  process.stdout.write(`${json ? JSON.stringify(trainSummaryJson(outcome)) : trainSummary(outcome)}\n`);
  if (status === "interrupted") process.stderr.write(`\nContinue it with: fedleak resume ${outcome.folder}\n`);
  return status === "finished" ? 0 : status === "interrupted" ? INTERRUPTED : USER_ERROR;
}

/** What a training came to, for a person at a terminal. */
export function trainSummary({ record, folder }: TrainOutcome): string {
  const { results, unit, curve, failure } = record;
  const done = results?.done ?? curve.at(-1)?.done ?? 0;
  return [
    "",
    ...(failure === undefined ? [] : [`Failed: ${failure}`, ""]),
    ...table([
      ["trained", `${done} ${unit}s on ${record.data.closed} images, ${record.data.source}`],
      ...(results
        ? [
            ["accuracy", measuredText(results.open, "public images")],
            ...(results.test ? [["test", measuredText(results.test, "test images")]] : []),
            [
              "time",
              `${results.seconds.toFixed(1)} s, ${(results.seconds / Math.max(1, results.done)).toPrecision(3)} s a ${unit}`,
            ],
          ]
        : []),
      ...record.ledger.flatMap(({ assumption, value }) => (assumption === "privacy" ? [["privacy", value]] : [])),
      ["weights", join(folder, WEIGHTS_FILE)],
      ["report", join(folder, FILES.report)],
      ["record", join(folder, FILES.record)],
    ]),
  ].join("\n");
}

/** `54.1 % of 500 public images (95 %: 49.7 % to 58.4 %; the commonest class alone: 10.4 %), loss 1.23` */
function measuredText(found: NonNullable<TrainOutcome["record"]["results"]>["open"], what: string): string {
  const { accuracy, images, interval95, majorityFloor, loss } = found;
  const beside = [
    ...(interval95 ? [`95 %: ${percent(interval95[0])} to ${percent(interval95[1])}`] : []),
    ...(majorityFloor === undefined ? [] : [`the commonest class alone: ${percent(majorityFloor)}`]),
  ];
  const told = beside.length === 0 ? "" : ` (${beside.join("; ")})`;
  return `${percent(accuracy)} of ${images} ${what}${told}, loss ${loss.toPrecision(3)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** What a training came to, for a program. */
export function trainSummaryJson({ record, folder }: TrainOutcome): Record<string, unknown> {
  const { status, failure, results, unit, ledger, spec } = record;
  return {
    status,
    ...(failure !== undefined && { failure }),
    ...{ training: spec.training, unit, ...results },
    ...{ out: folder, weights: join(folder, WEIGHTS_FILE), report: join(folder, FILES.report) },
    assumptions: Object.fromEntries(ledger.map(({ assumption, value }) => [assumption, value])),
  };
}
