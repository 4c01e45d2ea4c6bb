import { access, constants, mkdir, readdir, readFile, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
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

/** Makes the run's folder; `undo` removes a run's files and the folders that were made for it. */
export async function makeRunFolder(out: string): Promise<{ readonly undo: () => Promise<void> }> {
  const made = await makeFolders(resolve(out)).catch((cause) => {
    throw writeError(out, cause);
  });
  return {
    undo: async () => {
      for (const file of Object.values(FILES)) await rm(join(out, file), { force: true });
      for (const folder of made.reverse()) {
        await rmdir(folder).catch(() => undefined); // somebody else put something in: leave it
      }
    },
  };
}

/** Makes a folder and those above it that are missing, one by one: Node's own recursion never ends in some file systems. */
async function makeFolders(path: string): Promise<string[]> {
  const missing: string[] = [];
  for (let at = path; !(await exists(at)); at = dirname(at)) missing.unshift(at);
  for (const folder of missing) await mkdir(folder);
  return missing;
}

/** `runs/<attack>-<model>-<yyyymmdd-hhmmss>`, with a number behind it when that is taken; local time. */
export async function defaultOut(attack: string, model: string, now: Date): Promise<string> {
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  const name = join("runs", `${attack}-${model}-${day}-${time}`);
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? name : `${name}-${i}`;
    if (!(await exists(candidate))) return candidate;
  }
}

/** The bytes of a file of a run. Throws FedleakError when the run has none. */
export async function readRunFile(folder: string, file: string): Promise<Uint8Array> {
  try {
    return await readFile(join(folder, file));
  } catch (cause) {
    throw new FedleakError({
      who: `run ${folder}`,
      must: `it must be the folder of a run and hold a readable ${file}`,
      got: (await exists(folder)) ? `no readable ${file}` : "no such folder",
      remedy: "Pass the folder that fedleak attack printed.",
      cause,
    });
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The nearest folder that is there must let us write. */
async function checkWritable(out: string): Promise<void> {
  let at = resolve(out);
  while (!(await exists(at)) && dirname(at) !== at) at = dirname(at);
  if (!(await stat(at)).isDirectory()) throw writeError(out, { code: "ENOTDIR" });
  await access(at, constants.W_OK).catch((cause) => {
    throw writeError(out, cause);
  });
}
