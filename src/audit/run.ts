import type { ProgramStore } from "../runtime/index.ts";
import { fail } from "../util/index.ts";
import { clientFacts } from "./clients.ts";
import { conduct } from "./conduct.ts";
import type { Watcher } from "./events.ts";
import { lockFolder } from "./folder-lock.ts";
import { ledgerOf } from "./ledger.ts";
import { RECORD_FORMAT, RECORD_VERSION, type RunRecord } from "./record-schema.ts";
import { type RenderReport, writeFirstRecord, writeState } from "./run-files.ts";
import { checkOut, checkWritable, defaultOut, makeRunFolder } from "./run-folder.ts";
import type { RunSpec } from "./spec.ts";
import { compileAttack, prepareTrial } from "./trial.ts";
import { versions } from "./versions.ts";
import { isTaken } from "./write-file.ts";

export interface RunOptions extends Watcher {
  /** The run's folder, new or empty; without it a fresh one under `runs`. */
  readonly out?: string | undefined;
  /** The command line that asked for it, for the record. */
  readonly command: string;
  readonly render: RenderReport;
  /** Where compiled programs are kept between processes; absent: nowhere. */
  readonly store?: ProgramStore | undefined;
}

export interface RunOutcome {
  readonly folder: string;
  readonly record: RunRecord;
}

/**
 * One audit from beginning to end: data, batch, model, client, attack, score, floors, record, pictures, report.
 *
 * The run's folder is made only when every input was read and the attack compiled; a run that cannot begin leaves
 * nothing behind. Throws FedleakError at bad input; a run that fails or is stopped later says so in its record.
 */
export async function runAttack(spec: RunSpec, options: RunOptions): Promise<RunOutcome> {
  const { onEvent, signal, render } = options;
  const startedAt = new Date();
  const out = options.out ?? defaultOut(spec.attack.name, spec.model.name, startedAt);
  await (options.out === undefined ? checkWritable(out) : checkOut(out));
  onEvent?.({ kind: "stage", text: "reading the data and computing the client's update" });
  const trial = await prepareTrial(spec, options.store);
  needGoing(signal);
  onEvent?.({ kind: "stage", text: "compiling the attack" });
  const attack = await compileAttack(trial);
  try {
    needGoing(signal);
    const record: RunRecord = {
      format: RECORD_FORMAT,
      version: RECORD_VERSION,
      status: "running",
      startedAt: startedAt.toISOString(),
      command: options.command,
      spec: trial.spec,
      ledger: ledgerOf(trial, attack, versions()),
      versions: versions(),
      inputs: trial.sharedPrints,
      ...(trial.holder && { client: clientFacts(spec.data.partition!, trial.holder, trial.source) }),
      seeds: { run: spec.seed },
      curve: [],
    };
    const from = { state: attack.initial, seconds: 0 };
    const { folder, undo } = await makeRunFolder(out, { numbered: options.out === undefined });
    await using _ = await lockFolder(folder);
    try {
      await writeFirstRecord(folder, record);
      await writeState(folder, from, { spec: trial.specPrint, inputs: trial.inputsPrint });
    } catch (error) {
      if (!isTaken(error)) await undo(); // else the files are another run's
      throw error;
    }
    onEvent?.({ kind: "folder", folder });
    return { folder, record: await conduct({ trial, attack, folder, record, from, render, watcher: options }) };
  } finally {
    await attack.release();
  }
}

/** Throws when the run was stopped before it wrote anything. */
function needGoing(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    fail({
      who: "run",
      must: "it must reach its first iteration to be continued later",
      got: "an interrupt before that",
      remedy: "Nothing was written: start it again.",
      cause: signal.reason, // by which a watcher tells it from other errors
    });
  }
}
