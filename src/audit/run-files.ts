import { join } from "node:path";
import { type Tensor, writeSafetensors } from "../tensor/index.ts";
import { FedleakError } from "../util/index.ts";
import { type Checkpoint, type CheckpointOwner, decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import { drawPictures } from "./pictures.ts";
import { checkRecord } from "./record.ts";
import type { RunRecord } from "./record-schema.ts";
import { exists, FILES, readRunFile } from "./run-folder.ts";
import { writeKeeping, writeNew, writeWhole } from "./write-file.ts";

/** Draws the report of a record: HTML from the record and the pictures as PNG data URLs. Layer `report` has it. */
export type RenderReport = (
  record: RunRecord,
  pictures: { readonly originals: readonly string[]; readonly reconstructions: readonly string[] },
) => string;

/** Writes the record, checked. */
export async function writeRecord(folder: string, record: RunRecord): Promise<void> {
  const path = join(folder, FILES.record);
  await writeWhole(path, recordText(record, path));
}

/** Writes the record of a run that begins: by it the folder is the run's, and no other one's. */
export async function writeFirstRecord(folder: string, record: RunRecord): Promise<void> {
  const path = join(folder, FILES.record);
  await writeNew(path, recordText(record, path));
}

function recordText(record: RunRecord, path: string): string {
  return `${JSON.stringify(checkRecord(record, path), undefined, 2)}\n`;
}

/** Writes the attack's checkpoint and keeps the one before it. */
export async function writeState(folder: string, at: Checkpoint, owner: CheckpointOwner): Promise<void> {
  await writeKeeping(join(folder, FILES.state), join(folder, FILES.previousState), await encodeCheckpoint(at, owner));
}

/** The last checkpoint that can be read; `note` says why it is not the last one written. */
export interface FoundState {
  readonly at: Checkpoint;
  readonly note?: string;
}

/**
 * The attack's checkpoint, or the one before it when that cannot be read; undefined when none was ever written.
 *
 * Throws FedleakError, about the last one, when neither can be read.
 */
export async function readState(folder: string, owner: CheckpointOwner): Promise<FoundState | undefined> {
  const read = async (file: string) =>
    decodeCheckpoint(await readRunFile(folder, file, NO_CHECKPOINT), join(folder, file), owner);
  const written = await Promise.all([FILES.state, FILES.previousState].map((file) => exists(join(folder, file))));
  if (!written.includes(true)) return undefined;
  try {
    return { at: await read(FILES.state) };
  } catch (error) {
    if (!(error instanceof FedleakError)) throw error;
    const at = await read(FILES.previousState).catch(() => {
      throw error; // the last one's trouble tells more
    });
    return { at, note: `From the checkpoint before (iteration ${at.state.iteration}): the last one cannot be read.` };
  }
}

/** What to do about a run that has begun and left no checkpoint. */
export const NO_CHECKPOINT = "Without its checkpoint it cannot be continued: start the run again.";

/** Writes the checkpoint of the control attack. */
export async function writeMismatched(folder: string, at: Checkpoint, owner: CheckpointOwner): Promise<void> {
  await writeWhole(join(folder, FILES.mismatched), await encodeCheckpoint(at, owner));
}

/** The checkpoint of the control attack, if it got that far. */
export async function readMismatched(folder: string, owner: CheckpointOwner): Promise<Checkpoint | undefined> {
  const path = join(folder, FILES.mismatched);
  return (await exists(path)) ? decodeCheckpoint(await readRunFile(folder, FILES.mismatched), path, owner) : undefined;
}

/**
 * Writes the pictures, the exact images and the report of a run that stands still, and its record last.
 *
 * truth, reconstruction: [·,C,H,W] in [0,1]
 */
export async function writeOutcome(
  folder: string,
  record: RunRecord,
  images: { readonly truth: Tensor<"float32">; readonly reconstruction: Tensor<"float32"> },
  render: RenderReport,
): Promise<void> {
  const pictures = await drawPictures(images.truth, images.reconstruction, record.results);
  const put = (file: keyof typeof FILES, content: Uint8Array | string) =>
    writeWhole(join(folder, FILES[file]), content);
  await put("originals", pictures.originalsPng);
  await put("reconstructions", pictures.reconstructionsPng);
  if (pictures.gridPng) await put("grid", pictures.gridPng);
  await put("images", writeSafetensors({ originals: images.truth, reconstructions: images.reconstruction }));
  await put("report", render(record, pictures));
  await writeRecord(folder, record);
}
