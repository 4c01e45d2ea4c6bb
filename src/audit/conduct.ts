import type { AttackRun } from "../attacks/index.ts";
import { type Images, scoreReconstruction } from "../metrics/index.ts";
import { FedleakError } from "../util/index.ts";
import type { Checkpoint, CheckpointOwner } from "./checkpoint.ts";
import type { IterationEvent, Watcher } from "./events.ts";
import { fingerprint } from "./fingerprint.ts";
import { type IterationEnd, iterate } from "./iterate.ts";
import { mismatchedObservation } from "./mismatched.ts";
import type { Assumption, CurvePoint, RunRecord, RunResults } from "./record-schema.ts";
import { addMismatchedFloor, scoreRun } from "./results.ts";
import {
  type RenderReport,
  readMismatched,
  writeMismatched,
  writeOutcome,
  writeRecord,
  writeState,
} from "./run-files.ts";
import { compileAttack, type Trial } from "./trial.ts";
import { isWriteError } from "./write-file.ts";

/** A run whose folder is there and that is about to iterate, for the first time or again. */
export interface Job {
  readonly trial: Trial;
  readonly attack: AttackRun;
  readonly folder: string;
  /** With status "running", and the curve up to `from`. */
  readonly record: RunRecord;
  readonly from: Checkpoint;
  readonly render: RenderReport;
  readonly watcher: Watcher;
}

/**
 * Iterates, reconstructs, scores, measures the floors, and writes all of it to the run's folder.
 *
 * Returns the record as it was written last. A number that is not finite ends in a record with status "failed", an abort
 * in one with "interrupted"; errors of writing are thrown.
 */
export async function conduct(job: Job): Promise<RunRecord> {
  const { trial, attack, folder, watcher, render } = job;
  const curve = [...job.record.curve];
  const owner = ownerOf(trial);
  const { iterations } = trial.settings;
  const end = await iterate({
    ...pace(job),
    attack,
    part: "attack",
    from: job.from,
    onIteration: async (event, at) => {
      const peek = await peekAt(job, at);
      const seen = peek === undefined ? event : { ...event, peekPsnrDb: peek };
      if (peek !== undefined || isRecorded(event)) curve.push(pointOf(seen));
      watcher.onEvent?.({ kind: "iteration", ...seen });
    },
    save: async (at) => {
      await writeRecord(folder, { ...job.record, curve }); // first, so that it never knows less than the checkpoint
      await writeState(folder, at, owner);
    },
  });

  const reconstruction = await attack.reconstruct(end.at.state);
  const images = { truth: trial.truth.images, reconstruction };
  const conclude = async (record: RunRecord) => {
    await writeOutcome(folder, record, images, render);
    return record;
  };
  if (end.status === "interrupted") return conclude({ ...job.record, curve, status: "interrupted" });
  const { iteration } = end.at.state;
  const unfit = complaintAbout(reconstruction, iteration);
  const failure = end.failure ?? unfit;
  if (failure !== undefined) {
    const scored = iteration > 0 && unfit === undefined ? { results: await score(job, end, reconstruction) } : {}; // the start is no result
    const ledger = stoppedAt(job.record.ledger, iteration, iterations);
    return conclude({ ...job.record, ledger, curve, status: "failed", failure, ...scored });
  }
  const ledger = [...job.record.ledger, ...solutionEntries(attack, end)];
  const done = { ...job.record, ledger, curve, results: await score(job, end, reconstruction) };
  if (!trial.spec.measure.mismatchedFloor) return conclude({ ...done, status: "finished" });
  await writeRecord(folder, done);
  return conclude(await withMismatchedFloor(job, done, iterations));
}

const CURVE_POINTS = 1000; // our choice: more than a chart has pixels for, and a record stays under a megabyte

/** What a checkpoint must belong to, if the trial is to go on from it. */
export function ownerOf({ specPrint, inputsPrint }: Trial): CheckpointOwner {
  return { spec: specPrint, inputs: inputsPrint };
}

function pace({ trial, watcher }: Job) {
  return {
    iterations: trial.settings.iterations,
    checkpointEvery: trial.spec.checkpointEvery,
    signal: watcher.signal,
  };
}

/** Whether an iteration becomes a point of the curve: the first, the last, and evenly between them. */
function isRecorded({ iteration, iterations }: IterationEvent): boolean {
  return iteration === 1 || iteration === iterations || iteration % Math.ceil(iterations / CURVE_POINTS) === 0;
}

function pointOf({ iteration, evaluations, seconds, loss, cosine, peekPsnrDb }: IterationEvent): CurvePoint {
  return {
    iteration,
    evaluations,
    seconds,
    loss,
    ...(Number.isFinite(cosine) && { cosine: Math.min(1, Math.max(-1, cosine)) }), // rounding may carry it past 1
    ...(peekPsnrDb !== undefined && { peekPsnrDb }),
  };
}

/** The PSNR for the audience, when it is time for it. */
async function peekAt({ trial, attack }: Job, { state }: Checkpoint): Promise<number | undefined> {
  const { peekEvery } = trial.spec.measure;
  if (peekEvery === 0 || state.iteration % peekEvery !== 0) return undefined;
  const images = await attack.reconstruct(state);
  if (!allFinite(images)) return undefined;
  return scoreReconstruction(trial.truth.images, images).psnrDb.oneToOne;
}

/** What is wrong with a reconstruction that cannot be scored: finite weights may still decode to NaN. */
function complaintAbout(images: Images, iteration: number): string | undefined {
  if (allFinite(images)) return undefined;
  return `attack: every pixel of the reconstruction must be finite; got NaN or infinity in iteration ${iteration}. Lower learningRate.`;
}

function allFinite({ data }: Images): boolean {
  return data.every(Number.isFinite);
}

/** What a closed form found, for the ledger. */
function solutionEntries({ solution }: AttackRun, { at }: IterationEnd): Assumption[] {
  const found = solution?.(at.state);
  return found ? [{ assumption: "solution", value: found.about, origin: "measured" }] : [];
}

/** The ledger of a run that failed: its numbers, if it has any, are those of the iterate before. */
function stoppedAt(ledger: readonly Assumption[], iteration: number, iterations: number): Assumption[] {
  const value = `failed after ${iteration} of ${iterations} iterations; no later iterate was finite`;
  return ledger.map((entry) =>
    entry.assumption === "stopping-rule" ? { ...entry, value, origin: "measured" as const } : entry,
  );
}

function score({ trial, attack }: Job, { at }: IterationEnd, images: Images): Promise<RunResults> {
  return scoreRun(trial, { images, labels: attack.inferredLabels(at.state), ...at });
}

/** Runs the same attack on another batch's update and adds what it scores on the private batch to the floors. */
async function withMismatchedFloor(
  job: Job,
  done: RunRecord & { readonly results: RunResults },
  iterations: number,
): Promise<RunRecord> {
  const finished = (value: string): typeof done => {
    const entry: Assumption = { assumption: "mismatched-gradient", value, origin: "user" };
    return { ...done, ledger: [...done.ledger, entry], status: "finished" };
  };
  try {
    const control = await runControl(job);
    if (control.status === "interrupted") return { ...done, status: "interrupted" };
    if (control.status === "failed") return finished(`not measured: ${control.failure}`);
    const { results, ...rest } = finished(`the same ${iterations} iterations on ${control.about}`);
    return { ...rest, results: await addMismatchedFloor(job.trial, results, control.images) };
  } catch (error) {
    if (!(error instanceof FedleakError) || isWriteError(error)) throw error;
    return finished(`not measured: ${error.message}`); // the attack itself is done: a control must not lose it
  }
}

type Control =
  | { readonly status: "finished"; readonly images: Images; readonly about: string }
  | { readonly status: "failed"; readonly failure: string }
  | { readonly status: "interrupted" };

/** The same attack on another batch's update, from its checkpoint if it has one. */
async function runControl(job: Job): Promise<Control> {
  const { trial, folder, watcher } = job;
  watcher.onEvent?.({ kind: "stage", text: "compiling the attack on another batch's update, for the floor" });
  const { observation, about } = await mismatchedObservation(trial);
  const attack = await compileAttack({ ...trial, observation });
  try {
    const owner = { ...ownerOf(trial), inputs: await fingerprint(trial.inputsPrint, observation.update) };
    const end = await iterate({
      ...pace(job),
      attack,
      part: "mismatched",
      from: (await readMismatched(folder, owner)) ?? { state: attack.initial, seconds: 0 },
      onIteration: (event) => watcher.onEvent?.({ kind: "iteration", ...event }),
      save: (at) => writeMismatched(folder, at, owner),
    });
    if (end.status === "interrupted") return { status: "interrupted" };
    const images = await attack.reconstruct(end.at.state);
    const failure = end.failure ?? complaintAbout(images, end.at.state.iteration);
    return failure === undefined ? { status: "finished", images, about } : { status: "failed", failure };
  } finally {
    await attack.release();
  }
}
