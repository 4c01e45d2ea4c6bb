import { lockFolder } from "../folder-lock.ts";
import { mustBeStopped } from "../must-be-stopped.ts";
import { checkUnbegun, withResumption } from "../resumed.ts";
import { readState, writeState } from "../run-files.ts";
import { checkOut, checkWritable, defaultOut, makeRunFolder } from "../run-folder.ts";
import { versions } from "../versions.ts";
import { isTaken } from "../write-file.ts";
import { centralisedTask } from "./centralised.ts";
import { appliedAt, checkpointOf, conductTraining, trainOwner } from "./conduct.ts";
import type { TrainWatcher } from "./events.ts";
import { federatedTask } from "./federated.ts";
import { type RenderTraining, readTrainRecord, writeFirstTrainRecord } from "./files.ts";
import { trainLedger } from "./ledger.ts";
import { prepareTraining, type Training } from "./prepare.ts";
import { TRAIN_FORMAT, TRAIN_VERSION, type TrainRecord } from "./record.ts";
import { completeTrainSpec, type TrainRequest, type TrainSpec } from "./spec.ts";
import type { TrainingTask } from "./task.ts";

export interface TrainOptions extends TrainWatcher {
  /** The training's folder, new or empty; without it a fresh one under `runs`. */
  readonly out?: string | undefined;
  /** The command line that asked for it, for the record. */
  readonly command: string;
  readonly render: RenderTraining;
}

export interface TrainOutcome {
  readonly folder: string;
  readonly record: TrainRecord;
}

/**
 * One training from beginning to end: data, model, steps or rounds, weights, accuracy, record, report.
 *
 * The folder is made only when every input was read and the step compiled. Throws FedleakError at bad input; a training
 * that fails or is stopped later says so in its record and keeps its last good state.
 */
export async function runTraining(spec: TrainSpec, options: TrainOptions): Promise<TrainOutcome> {
  const { onEvent, render } = options;
  const startedAt = new Date();
  const out = options.out ?? defaultOut("train", spec.model.name, startedAt);
  await (options.out === undefined ? checkWritable(out) : checkOut(out));
  onEvent?.({ kind: "stage", text: "reading the data" });
  const training = await prepareTraining(spec);
  onEvent?.({ kind: "stage", text: "compiling the training step" });
  const task = await taskOf(training);
  try {
    const from = { done: 0, tensors: task.initial, seconds: 0 };
    const { data, closed, open } = training;
    const record: TrainRecord = {
      format: TRAIN_FORMAT,
      version: TRAIN_VERSION,
      status: "running",
      startedAt: startedAt.toISOString(),
      command: options.command,
      spec: JSON.parse(JSON.stringify(training.spec)),
      unit: task.unit,
      ...appliedAt(task, task.initial),
      ledger: [...trainLedger(training), ...task.assumptions],
      versions: versions(),
      data: {
        source: data.source,
        classNames: [...data.classNames],
        ...{ closed: closed.length, open: open.length, counts: task.counts.map((row) => [...row]) },
      },
      curve: [],
    };
    const { folder, undo } = await makeRunFolder(out, { numbered: options.out === undefined });
    await using _ = await lockFolder(folder);
    try {
      await writeFirstTrainRecord(folder, record);
      await writeState(folder, checkpointOf(from), trainOwner(training));
    } catch (error) {
      if (!isTaken(error)) await undo(); // else the files are another run's
      throw error;
    }
    onEvent?.({ kind: "folder", folder });
    return {
      folder,
      record: await conductTraining({ training, task, folder, record, from, render, watcher: options }),
    };
  } finally {
    await task.release();
  }
}

/**
 * Goes on with a training that was stopped or killed; it ends with the same weights, bit for bit, as if it had not been.
 *
 * That holds for the same program, machine and number of threads. Throws FedleakError when the training has ended, its
 * checkpoint is damaged, or its inputs changed.
 */
export async function resumeTraining(
  folder: string,
  options: Omit<TrainOptions, "command" | "out">,
): Promise<TrainOutcome> {
  await readTrainRecord(folder); // before anything is written there: it must be a training's folder
  await using _ = await lockFolder(folder);
  const stored = await readTrainRecord(folder);
  mustBeStopped(folder, stored, {
    what: "training",
    remedy: "Begin another one from its weights: fedleak train --weights <folder>/weights.safetensors.",
  });
  options.onEvent?.({ kind: "stage", text: "reading the data" });
  const training = await prepareTraining(completeTrainSpec(stored.spec as TrainRequest));
  const found = await readState(folder, trainOwner(training));
  if (found === undefined) checkUnbegun(folder, stored);
  if (found?.note !== undefined) options.onEvent?.({ kind: "stage", text: found.note });
  options.onEvent?.({ kind: "stage", text: "compiling the training step" });
  const task = await taskOf(training);
  try {
    const from = found
      ? { done: found.at.state.iteration, tensors: found.at.state.tensors, seconds: found.at.seconds }
      : { done: 0, tensors: task.initial, seconds: 0 };
    options.onEvent?.({ kind: "folder", folder });
    const { results: _results, ...rest } = stored;
    const curve = stored.curve.filter(({ done }) => done <= from.done);
    const began = { place: `${stored.unit} ${from.done}`, began: stored.versions, note: found?.note };
    const record: TrainRecord = { ...rest, status: "running", curve, ledger: withResumption(stored.ledger, began) };
    return {
      folder,
      record: await conductTraining({ ...options, training, task, folder, record, from, watcher: options }),
    };
  } finally {
    await task.release();
  }
}

function taskOf(training: Training): Promise<TrainingTask> {
  return training.spec.training === "centralised" ? centralisedTask(training) : federatedTask(training);
}
