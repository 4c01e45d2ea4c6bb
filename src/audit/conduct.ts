import { type AttackRun, prepareAttack } from "../attacks/index.ts";
import { type Images, scoreReconstruction } from "../metrics/index.ts";
import type { Checkpoint, CheckpointOwner } from "./checkpoint.ts";
import type { IterationEvent, Watcher } from "./events.ts";
import { type IterationEnd, iterate } from "./iterate.ts";
import { mismatchedObservation } from "./mismatched.ts";
import type { Assumption, CurvePoint, RunRecord, RunResults } from "./record-schema.ts";
import { mismatchedFloor, scoreRun } from "./results.ts";
import {
  type RenderReport,
  readMismatched,
  writeMismatched,
  writeOutcome,
  writeRecord,
  writeState,
} from "./run-files.ts";
import { runKey, type Trial } from "./trial.ts";

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
  const results = score(job, end, reconstruction);
  if (end.failure !== undefined) {
    const scored = end.at.state.iteration > 0 ? { results } : {}; // the start is no result
    return conclude({ ...job.record, curve, status: "failed", failure: end.failure, ...scored });
  }
  const done = { ...job.record, curve, results };
  if (!trial.spec.measure.mismatchedFloor) return conclude({ ...done, status: "finished" });
  await writeRecord(folder, done);
  return conclude(await withMismatchedFloor(job, done, iterations));
}

const CURVE_POINTS = 1000; // our choice: more than a chart has pixels for, and a record stays under a megabyte

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

function pointOf({ iteration, seconds, loss, cosine, peekPsnrDb }: IterationEvent): CurvePoint {
  return {
    iteration,
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
  return scoreReconstruction(trial.truth.images, await attack.reconstruct(state)).psnrDb.oneToOne;
}

function score({ trial, attack }: Job, { at }: IterationEnd, images: Images): RunResults {
  return scoreRun(trial, { images, labels: attack.inferredLabels(at.state), ...at });
}

/** Runs the same attack on another batch's update and adds what it scores on the private batch to the floors. */
async function withMismatchedFloor(
  job: Job,
  done: RunRecord & { readonly results: RunResults },
  iterations: number,
): Promise<RunRecord> {
  const { trial, folder, watcher } = job;
  watcher.onEvent?.({ kind: "stage", text: "compiling the attack on another batch's update, for the floor" });
  const { observation, about } = await mismatchedObservation(trial);
  const { model, preset, settings, device, spec } = trial;
  const control = await prepareAttack({
    model,
    observation,
    attack: preset,
    settings,
    key: runKey(spec, "attack"),
    device,
    threads: spec.threads,
  });
  try {
    const owner = ownerOf(trial);
    const end = await iterate({
      ...pace(job),
      attack: control,
      part: "mismatched",
      from: (await readMismatched(folder, owner)) ?? { state: control.initial, seconds: 0 },
      onIteration: (event) => watcher.onEvent?.({ kind: "iteration", ...event }),
      save: (at) => writeMismatched(folder, at, owner),
    });
    if (end.status === "interrupted") return { ...done, status: "interrupted" };
    const entry: Assumption = {
      assumption: "mismatched-gradient",
      value:
        end.failure === undefined ? `the same ${iterations} iterations on ${about}` : `not measured: ${end.failure}`,
      origin: "user",
    };
    const finished = { ...done, ledger: [...done.ledger, entry], status: "finished" as const };
    if (end.failure !== undefined) return finished;
    const floor = mismatchedFloor(trial, await control.reconstruct(end.at.state));
    return { ...finished, results: { ...done.results, floors: { ...done.results.floors, mismatchedGradient: floor } } };
  } finally {
    await control.release();
  }
}
