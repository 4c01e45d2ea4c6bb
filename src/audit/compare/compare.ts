import { fail } from "../../util/index.ts";
import type { Watcher } from "../events.ts";
import { lockFolder } from "../folder-lock.ts";
import { lanes } from "../lanes.ts";
import type { RenderReport } from "../run-files.ts";
import { checkOut, checkWritable, defaultOut, makeRunFolder } from "../run-folder.ts";
import { prepareTrial } from "../trial.ts";
import { versions } from "../versions.ts";
import { isTaken } from "../write-file.ts";
import { assumptionsOf } from "./assumptions.ts";
import {
  type ComparisonDocuments,
  readComparison,
  readTrialRecord,
  trialFolder,
  writeComparison,
  writeDocuments,
  writeFirstComparison,
} from "./compare-folder.ts";
import { type BatchPictures, comparePictures } from "./compare-pictures.ts";
import { COMPARISON_FORMAT, COMPARISON_VERSION, type Comparison, type TrialRow } from "./comparison.ts";
import type { CompareWatcher } from "./events.ts";
import { expandPlan, type TrialPlan } from "./expand.ts";
import type { ComparePlan } from "./plan.ts";
import { emptyRow, rowOf } from "./row.ts";
import { runTrial, type TrialTask } from "./run-trial.ts";
import { withSameInputs } from "./same-inputs.ts";
import { tableOf } from "./table.ts";

export interface CompareOptions extends CompareWatcher {
  /** Draws the report of one trial. */
  readonly render: RenderReport;
  /** Draws the comparison: files by name. Layer `report` has it. */
  readonly renderComparison: (comparison: Comparison, pictures: readonly BatchPictures[]) => ComparisonDocuments;
  /** Trials at once; without it 1, or as many as when the comparison began. Changes nothing but the time. */
  readonly jobs?: number | undefined;
  /** Runs a trial in a process of its own; used with more than one job. */
  readonly apart: (task: TrialTask, watcher: Watcher) => Promise<TrialRow>;
}

export interface CompareOutcome {
  readonly folder: string;
  readonly comparison: Comparison;
}

/**
 * Runs every trial of a plan, one after the other or `jobs` at once, and writes table, figures and report.
 *
 * The folder is made only when the data, the model and the weights of every setting were read once; a comparison that
 * cannot begin leaves nothing behind. Throws FedleakError at bad input; a trial that fails is a row.
 */
export async function startComparison(
  plan: ComparePlan,
  options: CompareOptions & { readonly out?: string | undefined; readonly command: string },
): Promise<CompareOutcome> {
  const startedAt = new Date();
  const trials = expandPlan(plan);
  const out = options.out ?? defaultOut("compare", `${plan.attacks.length}-attacks`, startedAt);
  await (options.out === undefined ? checkWritable(out) : checkOut(out));
  options.onEvent?.({ kind: "stage", text: "reading the data and the weights of every setting" });
  await checkSettings(trials);
  const rows = trials.map((trial) => emptyRow(trial));
  const comparison: Comparison = {
    format: COMPARISON_FORMAT,
    version: COMPARISON_VERSION,
    status: "running",
    startedAt: startedAt.toISOString(),
    command: options.command,
    plan,
    jobs: options.jobs ?? 1,
    rows,
    table: tableOf(plan, rows),
    versions: versions(),
  };
  const { folder, undo } = await makeRunFolder(out, { numbered: options.out === undefined });
  await using _ = await lockFolder(folder);
  try {
    await writeFirstComparison(folder, comparison);
  } catch (error) {
    if (!isTaken(error)) await undo(); // else the file is another comparison's
    throw error;
  }
  return await conductTrials({ folder, comparison, trials, options });
}

/**
 * Goes on with a comparison that was stopped or killed: trials that are done are not run again, one that was under way
 * goes on from its checkpoint, and the table comes out as if nothing had happened, the seconds apart.
 *
 * A trial that could not begin is tried again. Throws FedleakError, and leaves everything as it is, when every trial has
 * ended, a trial's record cannot be read, or data or weights of a trial to come are missing.
 */
export async function resumeComparison(folder: string, options: CompareOptions): Promise<CompareOutcome> {
  await readComparison(folder); // before anything is written there: it must be a comparison's folder
  await using _ = await lockFolder(folder);
  const stored = await readComparison(folder);
  const trials = expandPlan(stored.plan);
  const rows = await Promise.all(
    trials.map(async (trial) => {
      const record = await readTrialRecord(trialFolder(folder, trial.id));
      return record === undefined || record === "damaged" ? emptyRow(trial) : rowOf(trial, record);
    }),
  );
  if (rows.every(isDone) && stored.status === "finished") {
    fail({
      who: `resume ${folder}`,
      must: "the comparison must have a trial that has not ended",
      got: `${rows.length} trials that have`,
      remedy: `Look at its report, or start another comparison.`,
    });
  }
  options.onEvent?.({ kind: "stage", text: "reading the data and the weights of every setting" });
  await checkSettings(trials.filter((_, i) => !isDone(rows[i]!)));
  return await conductTrials({ folder, comparison: { ...stored, status: "running", rows }, trials, options });
}

interface Work {
  readonly folder: string;
  readonly comparison: Comparison;
  readonly trials: readonly TrialPlan[];
  readonly options: CompareOptions;
}

async function conductTrials({ folder, comparison, trials, options }: Work): Promise<CompareOutcome> {
  const { onEvent, render, apart, jobs = comparison.jobs } = options;
  const run: CompareOptions["apart"] = jobs > 1 ? apart : (task, watcher) => runTrial(task, { ...watcher, render });
  const rows = new Map(comparison.rows.map((row) => [row.id, row]));
  const done = new Set(comparison.rows.filter(isDone).map(({ id }) => id));
  const now = (status: Comparison["status"]): Comparison => {
    const { plan } = comparison;
    const all = withSameInputs(trials.map(({ id }) => rows.get(id)!));
    return { ...comparison, status, rows: all, table: tableOf(plan, all), assumptions: assumptionsOf(plan, all) };
  };
  const waiting = trials.filter(({ id }) => !done.has(id));
  onEvent?.({ kind: "folder", folder, trials, done });
  await lanes(waiting, jobs, options.signal, async (trial, signal) => {
    onEvent?.({ kind: "began", trial });
    rows.set(trial.id, emptyRow(trial, "running"));
    const task = { trial, folder: trialFolder(folder, trial.id), command: `${comparison.command} # ${trial.id}` };
    const row = await run(task, { signal, onEvent: (event) => onEvent?.({ kind: "trial", trial, event }) });
    rows.set(trial.id, row);
    const so = now("running");
    await writeComparison(folder, so);
    onEvent?.({ kind: "ended", trial, row: so.rows.find(({ id }) => id === trial.id)! });
  });
  const all = trials.every(({ id }) => isDone(rows.get(id)!));
  const end = now(all ? "finished" : "interrupted");
  await writeDocuments(folder, options.renderComparison(end, await comparePictures(folder, end)));
  await writeComparison(folder, end);
  return { folder, comparison: end };
}

function isDone({ status }: TrialRow): boolean {
  return status === "finished" || status === "failed";
}

/** Reads and computes once what the trials of a setting stand on, at each batch size; throws FedleakError. */
async function checkSettings(trials: readonly TrialPlan[]): Promise<void> {
  const checked = new Set<string>();
  for (const { setting, batchSize, spec } of trials) {
    const name = `${setting} ${batchSize}`;
    if (checked.has(name)) continue;
    checked.add(name);
    const { programs } = await prepareTrial(spec);
    await programs.release();
  }
}
