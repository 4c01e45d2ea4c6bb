import type { AuditOutcome, AuditWatcher } from "../audit/index.ts";
import { showAuditProgress } from "./audit-progress.ts";
import { auditSummary, auditSummaryJson, refusal, refusalJson } from "./audit-summary.ts";
import { USER_ERROR } from "./conduct-run.ts";
import { endStopped, INTERRUPTED, listenForInterrupt } from "./interrupt.ts";

/**
 * Watches an audit from its start to its summary: progress on stderr, the result on stdout, Ctrl-C in order.
 *
 * Returns the exit status: 0 finished, 1 refused since the files contradict each other, 2 failed, 130 interrupted.
 */
export async function conductAudit(
  start: (watcher: AuditWatcher) => Promise<AuditOutcome>,
  { json = false }: { readonly json?: boolean | undefined },
): Promise<number> {
  const progress = showAuditProgress();
  using interrupt = listenForInterrupt(() =>
    progress.note("Stopping after this iteration, with a checkpoint. Ctrl-C again stops at once."),
  );
  let outcome: AuditOutcome;
  try {
    outcome = await start({ onEvent: progress.onEvent, signal: interrupt.signal });
  } catch (error) {
    progress.end();
    return endStopped(error, interrupt.signal, json);
  }
  progress.end();
  if (outcome.kind === "refused") {
    process.stdout.write(`${json ? JSON.stringify(refusalJson(outcome)) : refusal(outcome)}\n`);
    return INCONSISTENT;
  }
  const { status } = outcome.record;
  process.stdout.write(`${json ? JSON.stringify(auditSummaryJson(outcome)) : auditSummary(outcome)}\n`);
  if (status === "interrupted") process.stderr.write(`\nContinue it with: fedleak resume ${outcome.folder}\n`);
  return status === "finished" ? 0 : status === "interrupted" ? INTERRUPTED : USER_ERROR;
}

const INCONSISTENT = 1; // as fedleak check
