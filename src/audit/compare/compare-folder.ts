import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readSafetensors, type Tensor, type Tensors } from "../../tensor/index.ts";
import { FedleakError } from "../../util/index.ts";
import { parseRecord } from "../record.ts";
import type { RunRecord } from "../record-schema.ts";
import { exists, FILES, readRunFile } from "../run-folder.ts";
import { writeNew, writeWhole } from "../write-file.ts";
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

export async function writeComparison(folder: string, comparison: Comparison): Promise<void> {
  await writeWhole(join(folder, COMPARISON_FILES.comparison), textOf(comparison));
}

export async function writeDocuments(folder: string, documents: ComparisonDocuments): Promise<void> {
  for (const [name, content] of Object.entries(documents)) await writeWhole(join(folder, name), content);
}

export function trialFolder(folder: string, id: string): string {
  return join(folder, COMPARISON_FILES.trials, id);
}

/** The record of a trial, or undefined when it has none that can be read. */
export async function readTrialRecord(folder: string): Promise<RunRecord | undefined> {
  try {
    const bytes = await readRunFile(folder, FILES.record);
    return parseRecord(new TextDecoder().decode(bytes), join(folder, FILES.record));
  } catch (error) {
    if (error instanceof FedleakError) return undefined;
    throw error;
  }
}

/** The private batch of a trial and its reconstructions, [·,C,H,W] in [0,1]. Throws FedleakError when they cannot be read. */
export async function readTrialImages(folder: string): Promise<TrialImages> {
  const bytes = await readRunFile(folder, FILES.images);
  return readSafetensors(bytes, join(folder, FILES.images)).tensors as Partial<Tensors> as TrialImages; // as runs write it
}

type TrialImages = Readonly<Record<"originals" | "reconstructions", Tensor<"float32">>>;

/** Removes what a trial has left, so that it may begin anew. */
export async function clearTrial(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

function textOf(comparison: Comparison): string {
  return `${JSON.stringify(comparison, undefined, 2)}\n`;
}
