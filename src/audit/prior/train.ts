import { join } from "node:path";
import { type Tensors, writeSafetensors } from "../../tensor/index.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { fingerprint } from "../fingerprint.ts";
import { lockFolder } from "../folder-lock.ts";
import { mustBeStopped } from "../must-be-stopped.ts";
import { checkUnbegun } from "../resumed.ts";
import { readState, writeState } from "../run-files.ts";
import { checkOut, exists, makeRunFolder, readRunFile } from "../run-folder.ts";
import { versions } from "../versions.ts";
import { isTaken, writeNew, writeWhole } from "../write-file.ts";
import { conductPrior, type PriorWatcher } from "./conduct.ts";
import { measurePrior } from "./measure.ts";
import { type PriorTraining, preparePrior, priorKey } from "./prepare.ts";
import { isPriorRecord, newPriorRecord, PRIOR_FILES, type PriorRecord, parsePriorRecord } from "./record.ts";
import { completePriorSpec, type PriorRequest, type PriorSpec } from "./spec.ts";
import { initialTensors, keptTensors } from "./training-graph.ts";

export interface PriorOptions extends PriorWatcher {
  /** The prior's folder, new or empty. */
  readonly out: string;
  /** The command line that asked for it. */
  readonly command: string;
}

export interface PriorOutcome {
  readonly folder: string;
  readonly record: PriorRecord;
}

/**
 * Trains a decoder and a restorer on public images and writes them to a folder, to be passed to an attack as its prior.
 *
 * The folder is made only when the images were read. Throws FedleakError at bad input; a training that fails or is
 * stopped later says so in its record, and its tensors so far are written all the same.
 */
export async function trainPrior(spec: PriorSpec, options: PriorOptions): Promise<PriorOutcome> {
  await checkOut(options.out);
  options.onEvent?.({ kind: "stage", text: "reading the images" });
  const training = await preparePrior(spec);
  const tensors = initialTensors(training.networks, priorKey(spec, "weights"));
  const from: Checkpoint = { state: { iteration: 0, evaluations: 0, tensors }, seconds: 0 };
  const { folder, undo } = await makeRunFolder(options.out);
  await using _ = await lockFolder(folder);
  const record = recordOf(training, options.command);
  try {
    await writeNew(join(folder, PRIOR_FILES.about), textOf(record));
    await writeState(folder, from, training.owner);
  } catch (error) {
    if (!isTaken(error)) await undo(); // else the files are another training's
    throw error;
  }
  return { folder, record: await goOn(training, { folder, record, from, options }) };
}

/** Goes on with a training that was stopped; it ends with the same prior, bit for bit, as if it had not been. */
export async function resumePrior(folder: string, options: PriorWatcher): Promise<PriorOutcome> {
  await readPriorRecord(folder); // before anything is written there: it must be a prior's folder
  await using _ = await lockFolder(folder);
  const stored = await readPriorRecord(folder);
  mustBeStopped(folder, stored, { what: "training", remedy: "Use it with --prior, or train another one." });
  options.onEvent?.({ kind: "stage", text: "reading the images" });
  const training = await preparePrior(completePriorSpec(stored.spec as unknown as PriorRequest));
  const found = await readState(folder, training.owner);
  if (found === undefined)
    checkUnbegun(folder, { status: stored.status === "training" ? "running" : stored.status, curve: [] });
  if (found?.note !== undefined) options.onEvent?.({ kind: "stage", text: found.note });
  const tensors = () => initialTensors(training.networks, priorKey(training.spec, "weights"));
  const from = found?.at ?? { state: { iteration: 0, evaluations: 0, tensors: tensors() }, seconds: 0 };
  const record = recordOf(training, stored.command);
  return { folder, record: await goOn(training, { folder, record, from, options }) };
}

/** Whether a folder is that of a prior. */
export async function isPrior(folder: string): Promise<boolean> {
  if (!(await exists(join(folder, PRIOR_FILES.about)))) return false;
  return isPriorRecord(new TextDecoder().decode(await readRunFile(folder, PRIOR_FILES.about)));
}

/** The record in a prior's folder. Throws FedleakError when there is none or it is damaged. */
export async function readPriorRecord(folder: string): Promise<PriorRecord> {
  const bytes = await readRunFile(folder, PRIOR_FILES.about, "Pass the folder that fedleak train-prior printed.");
  return parsePriorRecord(new TextDecoder().decode(bytes), join(folder, PRIOR_FILES.about));
}

/** Trains, measures, and writes tensors, sheet and record, the record last. */
async function goOn(
  training: PriorTraining,
  job: {
    readonly folder: string;
    readonly record: PriorRecord;
    readonly from: Checkpoint;
    readonly options: PriorWatcher;
  },
): Promise<PriorRecord> {
  const { folder, from, options } = job;
  options.onEvent?.({ kind: "stage", text: "compiling the training step" });
  const save = (at: Checkpoint) => writeState(folder, at, training.owner);
  const { status, failure, at } = await conductPrior(training, from, { ...options, save });
  options.onEvent?.({ kind: "stage", text: "measuring on held-out images" });
  const { heldOut, samplesPng } = await measurePrior(training, at.state.tensors);
  const kept = keptTensors(at.state.tensors);
  const record: PriorRecord = {
    ...job.record,
    status,
    ...(failure !== undefined && { failure }),
    stepsDone: at.state.iteration,
    seconds: at.seconds,
    heldOut,
    fingerprint: await fingerprint(kept),
  };
  await writeWhole(join(folder, PRIOR_FILES.samples), samplesPng);
  await writeWhole(join(folder, PRIOR_FILES.tensors), bytesOf(kept, record));
  await writeWhole(join(folder, PRIOR_FILES.about), textOf(record));
  return record;
}

function recordOf({ spec, networks, data, seen, heldOut, imagesPrint }: PriorTraining, command: string): PriorRecord {
  return newPriorRecord({
    status: "training",
    command,
    spec: plain(spec),
    decoder: plain(networks.decoder.options),
    restorer: plain(networks.restorer.options),
    trainedOn: {
      source: data.source,
      images: seen.length,
      heldOut: heldOut.length,
      classNames: [...data.classNames],
      fingerprint: imagesPrint,
    },
    stepsDone: 0,
    seconds: 0,
    versions: JSON.parse(JSON.stringify(versions())) as Record<string, string>,
  });
}

function bytesOf(kept: Tensors<"float32">, { trainedOn, stepsDone }: PriorRecord): Uint8Array {
  return writeSafetensors(kept, { trainedOn: trainedOn.source, steps: `${stepsDone}` });
}

function plain(value: object): PriorRecord["spec"] {
  return JSON.parse(JSON.stringify(value)) as PriorRecord["spec"];
}

function textOf(record: PriorRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}
