import { access, chmod, constants, mkdir, readdir, readFile, rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { FedleakError, fail } from "../util/index.ts";
import { writeError } from "./write-file.ts";

/** The files of a run's folder. */
export const FILES = {
  record: "record.json",
  report: "report.html",
  originals: "originals.png",
  reconstructions: "reconstructions.png",
  grid: "grid.png",
  /** Originals and reconstructions as exact numbers. */
  images: "images.safetensors",
  state: "state.safetensors",
  previousState: "state.previous.safetensors",
  /** The state of the attack on the mismatched update. */
  mismatched: "mismatched.safetensors",
  /** There while a process works in the folder. */
  lock: "lock.json",
} as const;

/**
 * Checks, before any work is done, that a run may be written to `out`: a folder that is not there yet, or is empty.
 *
 * Throws FedleakError when it holds something or nothing can be written there.
 */
export async function checkOut(out: string): Promise<void> {
  const entries = await readdir(out).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined;
    throw writeError(out, cause);
  });
  if (entries !== undefined && entries.length > 0) {
    fail({
      who: `--out ${out}`,
      must: "the folder must not exist yet or must be empty",
      got: `${entries.length} ${entries.length === 1 ? "entry" : "entries"} in it`,
      remedy: "Choose another folder, or continue the run in it with fedleak resume.",
    });
  }
  await checkWritable(out);
}

/** The folder of a run; `undo` removes a run's files and the folders that were made for it. */
export interface RunFolder {
  readonly folder: string;
  readonly undo: () => Promise<void>;
}

/**
 * Makes the run's folder, for its owner alone: it holds private images. Of two runs that ask for one folder only one
 * gets it.
 *
 * Where it is there already: with `numbered`, `<out>-2` or the next number that is free is made instead; otherwise it
 * must be empty.
 */
export async function makeRunFolder(out: string, { numbered = false } = {}): Promise<RunFolder> {
  const made = await makeFolders(dirname(resolve(out))).catch((cause) => {
    throw writeError(out, cause);
  });
  let folder = out;
  for (let i = 2; !(await makeFolder(folder)); i++) {
    if (!numbered) {
      await checkOut(out);
      await chmod(out, OWNER_ONLY).catch((cause) => {
        throw writeError(out, cause);
      });
      return { folder, undo: undoing(folder, made) };
    }
    folder = `${out}-${i}`;
  }
  return { folder, undo: undoing(folder, [...made, resolve(folder)]) };
}

function undoing(out: string, made: readonly string[]): () => Promise<void> {
  return async () => {
    for (const file of Object.values(FILES)) await rm(join(out, file), { force: true });
    for (const folder of made.toReversed()) {
      await rmdir(folder).catch(() => undefined); // somebody else put something in: leave it
    }
  };
}

const OWNER_ONLY = 0o700; // the folders above it that are missing too: `runs`, a comparison's `trials`

/** Makes one folder; false when it is there already. */
async function makeFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: OWNER_ONLY });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw writeError(folder, cause);
  }
}

/** Makes a folder and those above it that are missing, one by one: Node's own recursion never ends in some file systems. */
async function makeFolders(path: string): Promise<string[]> {
  const missing: string[] = [];
  for (let at = path; !(await exists(at)); at = dirname(at)) missing.unshift(at);
  for (const folder of missing) {
    await mkdir(folder, { mode: OWNER_ONLY }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== "EEXIST") throw cause; // another run has just made it
    });
  }
  return missing;
}

/** `runs/<attack>-<model>-<yyyymmdd-hhmmss>`, local time; a model in a file goes by the file's name. */
export function defaultOut(attack: string, model: string, now: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  return join("runs", `${attack}-${basename(model, ".onnx")}-${day}-${time}`);
}

/** The bytes of a file of a run. Throws FedleakError when the run has none; `remedy` says what to do then. */
export async function readRunFile(
  folder: string,
  file: string,
  remedy = "Pass the folder that fedleak attack printed.",
): Promise<Uint8Array> {
  try {
    return await readFile(join(folder, file));
  } catch (cause) {
    throw new FedleakError({
      who: `run ${folder}`,
      must: `it must be the folder of a run and hold a readable ${file}`,
      got: (await exists(folder)) ? `no readable ${file}` : "no such folder",
      remedy,
      cause,
    });
  }
}

/** Whether anything lies at the path that this process may see. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The nearest folder that is there must let us write. Throws FedleakError. */
export async function checkWritable(out: string): Promise<void> {
  let at = resolve(out);
  while (!(await exists(at)) && dirname(at) !== at) at = dirname(at);
  if (!(await stat(at)).isDirectory()) throw writeError(out, { code: "ENOTDIR" });
  await access(at, constants.W_OK).catch((cause) => {
    throw writeError(out, cause);
  });
}
