import { mkdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { FedleakError } from "../../util/index.ts";
import { exists, readRunFile } from "../run-folder.ts";
import { readTrainRecord, WEIGHTS_FILE } from "../train/files.ts";
import type { TrainRecord } from "../train/record.ts";
import { writeError, writeNew, writeWhole } from "../write-file.ts";
import { parseTradeoff, type Tradeoff } from "./record.ts";

/** The files of a trade-off's folder. */
export const TRADEOFF_FILES = {
  tradeoff: "tradeoff.json",
  /** A folder for each cell, with `train` and `trials`. */
  cells: "cells",
} as const;

/** Files for people, by name: the report, the table and the figure. */
export type TradeoffDocuments = Readonly<Record<string, string>>;

/** Whether a folder is that of a trade-off. */
export async function isTradeoff(folder: string): Promise<boolean> {
  return exists(join(folder, TRADEOFF_FILES.tradeoff));
}

/** Reads a trade-off from its folder, or from its file alone, and checks it. Throws FedleakError. */
export async function readTradeoff(path: string): Promise<Tradeoff> {
  const [folder, file] = path.endsWith(".json") ? [dirname(path), basename(path)] : [path, TRADEOFF_FILES.tradeoff];
  const bytes = await readRunFile(folder, file, "Pass the folder that fedleak tradeoff printed.");
  return parseTradeoff(new TextDecoder().decode(bytes), join(folder, file));
}

/** Writes the file of a trade-off that begins: by it the folder is the trade-off's. */
export async function writeFirstTradeoff(folder: string, tradeoff: Tradeoff): Promise<void> {
  await writeNew(join(folder, TRADEOFF_FILES.tradeoff), textOf(tradeoff));
}

/** Writes the trade-off into its folder, whole or not at all. */
export async function writeTradeoff(folder: string, tradeoff: Tradeoff): Promise<void> {
  await writeWhole(join(folder, TRADEOFF_FILES.tradeoff), textOf(tradeoff));
}

/** Writes table, figure and report beside the trade-off. */
export async function writeTradeoffDocuments(folder: string, documents: TradeoffDocuments): Promise<void> {
  for (const [name, content] of Object.entries(documents)) await writeWhole(join(folder, name), content);
}

/** Where a cell's training and trials lie. Paths are absolute: records of runs name them. */
export function cellFolders(
  folder: string,
  cell: string,
): { train: string; weights: string; trial(id: string): string } {
  const own = resolve(folder, TRADEOFF_FILES.cells, cell);
  const train = join(own, "train");
  return { train, weights: join(train, WEIGHTS_FILE), trial: (id) => join(own, "trials", id) };
}

/** Makes the folder of a cell, if it is not there. Throws FedleakError. */
export async function makeCellFolder(folder: string, cell: string): Promise<void> {
  const cells = resolve(folder, TRADEOFF_FILES.cells);
  for (const path of [cells, join(cells, cell)]) {
    await mkdir(path, { mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== "EEXIST") throw writeError(path, cause);
    });
  }
}

/**
 * The record of a training; undefined when there is none, "damaged" when it is no JSON and nothing can be taken from it.
 *
 * Throws FedleakError when it is there and cannot be read, or is of another version: it may hold a training that is done.
 */
export async function findTrainRecord(folder: string): Promise<TrainRecord | "damaged" | undefined> {
  try {
    return await readTrainRecord(folder);
  } catch (error) {
    const cause = error instanceof FedleakError ? error.cause : undefined;
    if ((cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT") return undefined;
    if (cause instanceof SyntaxError) return "damaged";
    throw error;
  }
}

function textOf(tradeoff: Tradeoff): string {
  return `${JSON.stringify(tradeoff, undefined, 2)}\n`;
}
