import { join } from "node:path";
import type { Weights } from "../../fl/index.ts";
import { writeSafetensors } from "../../tensor/index.ts";
import { exists, FILES, readRunFile } from "../run-folder.ts";
import { writeNew, writeWhole } from "../write-file.ts";
import { checkTrainRecord, isTrainRecord, parseTrainRecord, type TrainRecord } from "./record.ts";

/** The model as trained so far: safetensors with PyTorch's names, parameters and buffers. */
export const WEIGHTS_FILE = "weights.safetensors";

/** Draws the report of a training's record. Layer `report` has it. */
export type RenderTraining = (record: TrainRecord) => string;

/** Writes the record of a training that begins: by it the folder is its own. */
export async function writeFirstTrainRecord(folder: string, record: TrainRecord): Promise<void> {
  await writeNew(join(folder, FILES.record), textOf(record));
}

/** Writes the record of a training into its folder, whole or not at all. */
export async function writeTrainRecord(folder: string, record: TrainRecord): Promise<void> {
  await writeWhole(join(folder, FILES.record), textOf(record));
}

/** Writes weights, report and record of a training that stands still, the record last. */
export async function writeTrained(
  folder: string,
  record: TrainRecord,
  weights: Weights,
  render: RenderTraining,
): Promise<void> {
  const about = {
    training: String(record.spec.training),
    [`${record.unit}s`]: `${doneBy(record)}`,
    status: record.status,
  };
  await writeWhole(join(folder, WEIGHTS_FILE), writeSafetensors({ ...weights.params, ...weights.buffers }, about));
  await writeWhole(join(folder, FILES.report), render(record));
  await writeTrainRecord(folder, record);
}

/** Whether a folder is that of a training rather than of an attack. */
export async function isTraining(folder: string): Promise<boolean> {
  if (!(await exists(join(folder, FILES.record)))) return false;
  return isTrainRecord(new TextDecoder().decode(await readRunFile(folder, FILES.record)));
}

/** The record in a training's folder. Throws FedleakError when there is none or it is damaged. */
export async function readTrainRecord(folder: string): Promise<TrainRecord> {
  const bytes = await readRunFile(folder, FILES.record, "Pass the folder that fedleak train printed.");
  return parseTrainRecord(new TextDecoder().decode(bytes), join(folder, FILES.record));
}

function doneBy({ results, curve }: TrainRecord): number {
  return results?.done ?? curve.at(-1)?.done ?? 0;
}

function textOf(record: TrainRecord): string {
  return `${JSON.stringify(checkTrainRecord(record, FILES.record), undefined, 2)}\n`;
}
