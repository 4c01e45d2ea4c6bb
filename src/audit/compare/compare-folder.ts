import { rename, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { readSafetensors, type Tensor, type Tensors } from "../../tensor/index.ts";
import { FedleakError } from "../../util/index.ts";
import { parseRecord } from "../record.ts";
import type { RunRecord } from "../record-schema.ts";
import { exists, FILES, readRunFile } from "../run-folder.ts";
import { writeError, writeNew, writeWhole } from "../write-file.ts";
import { type Comparison, parseComparison } from "./comparison.ts";

/** The files of a comparison's folder. */
export const COMPARISON_FILES = {
  comparison: "comparison.json",
  /** A folder with the run of each trial. */
  trials: "trials",
} as const;

/** Files for people, by name: the report, tables and figures of a comparison. */
export type ComparisonDocuments = Readonly<Record<string, string | Uint8Array>>;

/** Whether a folder is that of a comparison, rather than of a run. */
export async function isComparison(folder: string): Promise<boolean> {
  return exists(join(folder, COMPARISON_FILES.comparison));
}

/** Reads a comparison and checks it. Throws FedleakError. */
export async function readComparison(folder: string): Promise<Comparison> {
  const bytes = await readRunFile(folder, COMPARISON_FILES.comparison, "Pass the folder that fedleak compare printed.");
  return parseComparison(new TextDecoder().decode(bytes), join(folder, COMPARISON_FILES.comparison));
}

/** Writes the file of a comparison that begins: by it the folder is the comparison's. */
export async function writeFirstComparison(folder: string, comparison: Comparison): Promise<void> {
  await writeNew(join(folder, COMPARISON_FILES.comparison), textOf(comparison));
}

/** Writes the comparison into its folder, whole or not at all. */
export async function writeComparison(folder: string, comparison: Comparison): Promise<void> {
  await writeWhole(join(folder, COMPARISON_FILES.comparison), textOf(comparison));
}

/** Writes table, figure and report beside the comparison. */
export async function writeDocuments(folder: string, documents: ComparisonDocuments): Promise<void> {
  for (const [name, content] of Object.entries(documents)) await writeWhole(join(folder, name), content);
}

/** The folder of one trial's run. */
export function trialFolder(folder: string, id: string): string {
  return join(folder, COMPARISON_FILES.trials, id);
}

/**
 * The record of a trial; undefined when there is none, "damaged" when it is no JSON and nothing can be taken from it.
 *
 * Throws FedleakError when it is there and cannot be read, or is of another version: it may hold a trial that is done.
 */
export async function readTrialRecord(folder: string): Promise<RunRecord | "damaged" | undefined> {
  const path = join(folder, FILES.record);
  try {
    return parseRecord(new TextDecoder().decode(await readRunFile(folder, FILES.record, READABLE)), path);
  } catch (error) {
    const cause = error instanceof FedleakError ? error.cause : undefined;
    if ((cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT") return undefined;
    if (cause instanceof SyntaxError) return "damaged";
    throw error;
  }
}

const READABLE = "Nothing was changed: see that it can be read, then go on with fedleak resume.";

/** The private batch of a trial and its reconstructions, [·,C,H,W] in [0,1]. Throws FedleakError when they cannot be read. */
export async function readTrialImages(folder: string): Promise<TrialImages> {
  const bytes = await readRunFile(folder, FILES.images);
  return readSafetensors(bytes, join(folder, FILES.images)).tensors as Partial<Tensors> as TrialImages; // as runs write it
}

type TrialImages = Readonly<Record<"originals" | "reconstructions", Tensor<"float32">>>;

/** Puts what a trial has left under `<id>.old`, so that it may begin anew and nothing is lost. Throws FedleakError. */
export async function setTrialAside(folder: string): Promise<void> {
  if (!(await exists(folder)) || (await rmdir(folder).then(...EITHER))) return; // nothing in it
  let old = `${folder}.old`;
  for (let i = 2; await exists(old); i++) old = `${folder}.old-${i}`;
  await rename(folder, old).catch((cause) => {
    throw writeError(old, cause);
  });
}

const EITHER = [() => true, () => false] as const;

function textOf(comparison: Comparison): string {
  return `${JSON.stringify(comparison, undefined, 2)}\n`;
}
