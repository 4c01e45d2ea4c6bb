import { join } from "node:path";
import { fail } from "../util/index.ts";
import { CHECKPOINT } from "./checkpoint.ts";
import { conduct, ownerOf } from "./conduct.ts";
import { lockFolder } from "./folder-lock.ts";
import { mustBeStopped } from "./must-be-stopped.ts";
import { parseRecord } from "./record.ts";
import type { RunRecord } from "./record-schema.ts";
import { checkUnbegun, withResumption } from "./resumed.ts";
import type { RunOptions, RunOutcome } from "./run.ts";
import { type FoundState, readState } from "./run-files.ts";
import { FILES, readRunFile } from "./run-folder.ts";
import { completeSpec, type RunRequest } from "./spec.ts";
import { compileAttack, prepareTrial } from "./trial.ts";

/**
 * Goes on with a run that was stopped or killed; it ends with the same reconstruction, bit for bit, as if it had not been.
 *
 * That holds for the same program, machine and number of threads; other versions are noted in the ledger.
 * Throws FedleakError when the run has ended, its inputs are missing or changed, or its checkpoint is of no use (`isUnusable`).
 */
export async function resumeRun(folder: string, options: Omit<RunOptions, "command" | "out">): Promise<RunOutcome> {
  await readRecord(folder); // before anything is written there: it must be a run's folder
  await using _ = await lockFolder(folder);
  const stored = await readRecord(folder);
  mustBeStopped(folder, stored, {
    what: "run",
    got: "run",
    remedy: `Look at ${join(folder, FILES.report)}, or start another run.`,
  });
  options.onEvent?.({ kind: "stage", text: "reading the data and computing the client's update" });
  const trial = await prepareTrial(completeSpec(stored.spec as RunRequest), options.store);
  const found = await readState(folder, ownerOf(trial));
  if (found === undefined) checkUnbegun(folder, stored);
  if (found?.note !== undefined) options.onEvent?.({ kind: "stage", text: found.note });
  options.onEvent?.({ kind: "stage", text: "compiling the attack" });
  const attack = await compileAttack(trial);
  try {
    const from = found?.at ?? { state: attack.initial, seconds: 0 };
    checkFits(folder, attack.fits(from.state));
    const record = goingOn(stored, from.state.iteration, found);
    options.onEvent?.({ kind: "folder", folder });
    return { folder, record: await conduct({ ...options, trial, attack, folder, record, from, watcher: options }) };
  } finally {
    await attack.release();
  }
}

async function readRecord(folder: string): Promise<RunRecord> {
  const bytes = await readRunFile(folder, FILES.record);
  return parseRecord(new TextDecoder().decode(bytes), join(folder, FILES.record));
}

/** The record as it was at the checkpoint, with the interruption in its ledger. */
function goingOn({ results: _, ...stored }: RunRecord, iteration: number, found: FoundState | undefined): RunRecord {
  return {
    ...stored,
    status: "running",
    curve: stored.curve.filter((point) => point.iteration <= iteration),
    ledger: withResumption(stored.ledger, {
      place: `iteration ${iteration}`,
      began: stored.versions,
      note: found?.note,
    }),
  };
}

/** The checkpoint must hold what this version of the attack carries. */
function checkFits(folder: string, fits: boolean): void {
  if (fits) return;
  fail({
    who: `${CHECKPOINT} ${join(folder, FILES.state)}`,
    must: "it must hold the tensors of this attack's state",
    got: "other names or shapes",
    remedy: "Continue the run with the version of fedleak that began it, or start it again.",
  });
}
