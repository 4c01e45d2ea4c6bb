import type { Evaluation } from "../../fl/index.ts";
import type { Tensors } from "../../tensor/index.ts";
import type { Checkpoint, CheckpointOwner } from "../checkpoint.ts";
import { writeState } from "../run-files.ts";
import { writeCapture } from "./capture-files.ts";
import type { TrainWatcher } from "./events.ts";
import { type RenderTraining, writeTrained, writeTrainRecord } from "./files.ts";
import { ON_THE_WAY, withScale } from "./measure.ts";
import type { Training } from "./prepare.ts";
import type { TrainPoint, TrainRecord, TrainResults } from "./record.ts";
import type { Advance, TrainingTask } from "./task.ts";

/** A training whose folder is there and that is about to go on, for the first time or again. */
export interface TrainJob {
  readonly training: Training;
  readonly task: TrainingTask;
  readonly folder: string;
  /** With status "running", and the curve up to `from`. */
  readonly record: TrainRecord;
  readonly from: Place;
  readonly render: RenderTraining;
  readonly watcher: TrainWatcher;
}

/** Where a training stands. */
export interface Place {
  readonly done: number;
  readonly tensors: Tensors<"float32">;
  readonly seconds: number;
}

/**
 * Trains to the end and writes checkpoints, captured updates, weights, report and record to the folder.
 *
 * Returns the record as it was written last. A number that is not finite ends in status "failed", with the state before
 * it kept; an abort ends in "interrupted". Where the checkpoints fall changes nothing.
 */
export async function conductTraining(job: TrainJob): Promise<TrainRecord> {
  const { training, task, folder, watcher, render } = job;
  const { spec } = training;
  const { length } = spec;
  const every = spec.evaluateEvery ?? Math.max(1, Math.ceil(length / 10)); // ten measurements: our choice
  const owner = trainOwner(training);
  const curve = [...job.record.curve];
  const began = performance.now();
  const now = () => job.from.seconds + (performance.now() - began) / 1000;
  const since = { done: job.from.done, seconds: job.from.seconds };
  let at = job.from;
  let failure: string | undefined;
  const save = async () => {
    await writeTrainRecord(folder, { ...job.record, curve }); // first, so that it never knows less than the checkpoint
    await writeState(folder, checkpointOf(at), owner);
  };

  while (at.done < length && !watcher.signal?.aborted) {
    const next = await task.advance(at.tensors, at.done);
    if (!next.finite) {
      failure = notFinite(task.unit, at.done + 1);
      break;
    }
    const done = at.done + 1;
    const due = done % every === 0 || done === length;
    const measured = due ? await task.measure(next.tensors, done, ON_THE_WAY) : undefined;
    if (measured !== undefined && !Number.isFinite(measured.loss)) {
      failure = notFinite(task.unit, done, "the loss on public images after ");
      break;
    }
    if (next.captured) await writeCapture(folder, training, next.captured);
    at = { done, tensors: next.tensors, seconds: now() };
    if (due || isRecorded(at.done, length)) curve.push(pointOf(at, next, measured));
    watcher.onEvent?.({
      kind: "advance",
      ...{ unit: task.unit, done: at.done, total: length, seconds: at.seconds, since },
      loss: next.loss,
      ...(next.trainAccuracy !== undefined && { trainAccuracy: next.trainAccuracy }),
      ...(measured && { accuracy: measured.accuracy }),
    });
    if (at.done % spec.checkpointEvery === 0 && at.done < length) await save();
  }
  await save();

  const status = failure !== undefined ? "failed" : at.done < length ? "interrupted" : "finished";
  const record: TrainRecord = {
    ...job.record,
    curve,
    status,
    ...(failure !== undefined && { failure }),
    ...(status !== "interrupted" && at.done > 0 && (await resultsAt(training, task, at))),
  };
  await writeTrained(folder, record, task.weights(at.tensors), render);
  return record;
}

/** Which training a checkpoint belongs to. */
export function trainOwner({ specPrint, inputsPrint }: Training): CheckpointOwner {
  return { spec: specPrint, inputs: inputsPrint };
}

/** A place as the file of a checkpoint holds it. */
export function checkpointOf({ done, tensors, seconds }: Place): Checkpoint {
  return { state: { iteration: done, evaluations: 0, tensors }, seconds };
}

const CURVE_POINTS = 1000; // our choice: more than a chart has pixels for

function isRecorded(done: number, length: number): boolean {
  return done === 1 || done === length || done % Math.ceil(length / CURVE_POINTS) === 0;
}

function pointOf(
  { done, seconds }: Place,
  { learningRate, loss, trainAccuracy }: Advance,
  measured: Evaluation | undefined,
): TrainPoint {
  const open = measured && { accuracy: measured.accuracy, publicLoss: measured.loss };
  return { done, seconds, learningRate, loss, ...(trainAccuracy !== undefined && { trainAccuracy }), ...open };
}

function notFinite(unit: string, number: number, where = ""): string {
  return (
    `training: loss, weights and buffers must stay finite; got NaN or infinity in ${where}${unit} ${number}. ` +
    "Lower --lr, or the noise of a defence; the weights from before it are kept."
  );
}

/** The clients' defences, for the record; nothing where there are none. */
export function appliedAt(
  task: TrainingTask,
  tensors: Tensors<"float32">,
): { defences?: TrainRecord["defences"] & object } {
  const defences = task.defences(tensors);
  return defences.length === 0 ? {} : { defences: [...defences] };
}

/** What the weights are worth; nothing where a loss overflows on some image, which no score can be made of. */
async function resultsAt(
  { data, open: indices, test: testData }: Training,
  task: TrainingTask,
  { done, seconds, tensors }: Place,
): Promise<{ results?: TrainResults }> {
  const [open, test] = [await task.measure(tensors, done), await task.test(tensors, done)];
  if (![open, ...(test ? [test] : [])].every(({ loss }) => Number.isFinite(loss))) return {};
  const results = {
    done,
    seconds,
    ...appliedAt(task, tensors),
    open: withScale(
      open,
      indices.map((i) => data.labels[i]!),
    ),
  };
  return { results: { ...results, ...(test && testData && { test: withScale(test, testData.labels) }) } };
}
