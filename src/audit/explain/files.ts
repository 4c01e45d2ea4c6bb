import { join } from "node:path";
import { checkWritable, exists, makeRunFolder, readRunFile } from "../run-folder.ts";
import { parseStored, type StoredKind } from "../stored-json.ts";
import { writeWhole } from "../write-file.ts";
import { EXPLANATION_FORMAT, EXPLANATION_VERSION, type Explanation, explanation } from "./schema.ts";

/** The files of an explanation's folder. */
export const EXPLAIN_FILES = { json: "explain.json", report: "explain.html" } as const;

/** Draws the report of an explanation: layer `report` has it. */
export type RenderExplanation = (explanation: Explanation) => string;

/** Whether a folder is that of an explanation, rather than of a run. */
export async function isExplanation(folder: string): Promise<boolean> {
  return exists(join(folder, EXPLAIN_FILES.json));
}

/** What an earlier go has left in `folder`; undefined when there is no such folder or it is empty. Throws FedleakError when it holds something else. */
export async function readExplanation(folder: string): Promise<Explanation | undefined> {
  const path = join(folder, EXPLAIN_FILES.json);
  if (!(await exists(path))) return undefined;
  const bytes = await readRunFile(folder, EXPLAIN_FILES.json);
  return parseExplanation(new TextDecoder().decode(bytes), path);
}

/** Reads the text of an `explain.json` and checks it. Throws FedleakError. */
export function parseExplanation(text: string, path: string): Explanation {
  return parseStored(text, path, EXPLANATION);
}

const EXPLANATION: StoredKind<Explanation> = {
  what: "an explanation",
  format: EXPLANATION_FORMAT,
  version: EXPLANATION_VERSION,
  schema: explanation,
  remedy: { damaged: "Choose another folder with --out.", foreign: "Choose another folder with --out." },
};

/** The folder of an explanation: a fresh one is made for its owner alone. Throws FedleakError when nothing can be written there. */
export async function openFolder(out: string, numbered: boolean): Promise<string> {
  await checkWritable(out);
  return (await makeRunFolder(out, { numbered })).folder;
}

/** Writes the numbers and the report, each whole or not at all. */
export async function writeExplanation(folder: string, found: Explanation, render: RenderExplanation): Promise<void> {
  await writeWhole(join(folder, EXPLAIN_FILES.json), `${JSON.stringify(found, undefined, 1)}\n`);
  await writeWhole(join(folder, EXPLAIN_FILES.report), render(found));
}
