import type { RunOutcome, Watcher } from "../audit/index.ts";
import { endStopped, INTERRUPTED, listenForInterrupt } from "./interrupt.ts";
import { showProgress } from "./progress.ts";
import { summaryJson, summaryText } from "./summary.ts";

/**
 * Watches a run from its start to its summary: progress on stderr, the result on stdout, Ctrl-C in order.
 *
 * Returns the exit status: 0 finished, 2 failed, 130 interrupted.
 */
export async function conductRun(
  start: (watcher: Watcher) => Promise<RunOutcome>,
  { json = false }: { readonly json?: boolean | undefined },
): Promise<number> {
  const progress = showProgress();
  using interrupt = listenForInterrupt(() =>
    progress.note("Stopping after this iteration, with a checkpoint. Ctrl-C again stops at once."),
  );
  let outcome: RunOutcome;
  try {
    outcome = await start({ onEvent: progress.onEvent, signal: interrupt.signal });
  } catch (error) {
    progress.end();
    return endStopped(error, interrupt.signal, json);
  }
  progress.end();
  const { status } = outcome.record;
  process.stdout.write(`${json ? JSON.stringify(summaryJson(outcome)) : summaryText(outcome)}\n`);
  if (status === "interrupted") process.stderr.write(`\nContinue it with: fedleak resume ${outcome.folder}\n`);
  return status === "finished" ? 0 : status === "interrupted" ? INTERRUPTED : USER_ERROR;
}

/** The exit status of everything that the user can mend. */
export const USER_ERROR = 2;
