import { FedleakError } from "../../util/index.ts";
import { isUnusable } from "../checkpoint.ts";
import { resumeRun } from "../resume.ts";
import { type RunOptions, type RunOutcome, runAttack } from "../run.ts";
import { isWriteError } from "../write-file.ts";
import { readTrialRecord, setTrialAside } from "./compare-folder.ts";
import type { TrialRow } from "./comparison.ts";
import type { TrialPlan } from "./expand.ts";
import { emptyRow, failedRow, rowOf } from "./row.ts";

/** A trial and where it goes: plain JSON, so that another process may run it. */
export interface TrialTask {
  readonly trial: TrialPlan;
  /** The trial's own folder. */
  readonly folder: string;
  /** For the record of its run. */
  readonly command: string;
}

/**
 * Runs a trial as an ordinary run in its folder: from the start, or from its checkpoint when the folder has one.
 *
 * A trial that is done is not run again. One whose checkpoint is of no use begins anew, and what it left is kept beside it.
 * Whatever else goes wrong, be it a fault of the runtime, is a row with its failure, so that the other trials run:
 * "interrupted" where a resume may go on from what is there, else "failed". Errors of writing are thrown, since they would
 * meet every trial, and so is that of a record that cannot be read.
 */
export async function runTrial(
  { trial, folder, command }: TrialTask,
  options: Omit<RunOptions, "command" | "out">,
): Promise<TrialRow> {
  const record = await readTrialRecord(folder);
  const stored = record === "damaged" ? undefined : record;
  if (stored?.status === "finished" || stored?.status === "failed") return rowOf(trial, stored);
  const begin = async () => {
    await setTrialAside(folder);
    return runAttack(trial.spec, { ...options, out: folder, command });
  };
  try {
    const { record: ended } = stored === undefined ? await begin() : await goOn(folder, options, begin);
    return rowOf(trial, ended);
  } catch (error) {
    if (isWriteError(error)) throw error;
    if (stoppedBy(options.signal, error)) return emptyRow(trial, "interrupted");
    const failure = error instanceof Error ? error.message : String(error);
    return stored === undefined ? failedRow(trial, failure) : { ...emptyRow(trial, "interrupted"), failure };
  }
}

/**
 * The row of a trial whose process ended without telling it: by its record where that is whole, else "interrupted".
 *
 * `end` says how the process ended.
 */
export async function rowLeftBy({ trial, folder }: TrialTask, end: string): Promise<TrialRow> {
  const record = await readTrialRecord(folder).catch(() => undefined);
  if (record !== undefined && record !== "damaged" && record.status !== "running") return rowOf(trial, record);
  const failure = `its process ended with ${end}, before the trial did; fedleak resume goes on with it`;
  return { ...emptyRow(trial, "interrupted"), failure };
}

/** Resumes a run, or begins it anew where its checkpoint is of no use: the same spec gives the same result. */
async function goOn(
  folder: string,
  options: Omit<RunOptions, "command" | "out">,
  begin: () => Promise<RunOutcome>,
): Promise<RunOutcome> {
  try {
    return await resumeRun(folder, options);
  } catch (error) {
    if (!isUnusable(error)) throw error;
    options.onEvent?.({ kind: "stage", text: `beginning anew: ${error.message}` });
    return begin();
  }
}

function stoppedBy(signal: AbortSignal | undefined, error: unknown): boolean {
  return signal?.aborted === true && error instanceof FedleakError && error.cause === signal.reason;
}
