import { randomUUID } from "node:crypto";
import { copyFile, link, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { FedleakError } from "../util/index.ts";

/**
 * Writes a file so that at any moment, a power cut included, its path leads to the old content or the new, never to a part.
 *
 * The bytes go to a new file beside it, are brought to the disk, and the new file takes the place of the old one.
 * Throws FedleakError when the file cannot be written; the old content is then still there.
 */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const fresh = temporary(path);
  try {
    await writeAndSync(fresh, content);
    await rename(fresh, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(fresh, { force: true }).catch(() => undefined);
    throw writeError(path, cause);
  }
}

/** Writes a file that must not be there yet: of several that try at once, one succeeds. Throws FedleakError. */
export async function writeNew(path: string, content: Uint8Array | string): Promise<void> {
  try {
    await writeAndSync(path, content, "wx");
    await syncFolder(dirname(path));
  } catch (cause) {
    if (codeOf(cause) !== "EEXIST") await rm(path, { force: true }).catch(() => undefined);
    throw writeError(path, cause);
  }
}

/** As `writeWhole`, and what was there before is kept under `previous`. */
export async function writeKeeping(path: string, previous: string, content: Uint8Array | string): Promise<void> {
  const fresh = temporary(previous);
  try {
    await link(path, fresh).catch(() => copyFile(path, fresh)); // some file systems have no links
    await rename(fresh, previous);
  } catch (cause) {
    await rm(fresh, { force: true }).catch(() => undefined);
    if (codeOf(cause) !== "ENOENT") throw writeError(previous, cause); // ENOENT: nothing was there before
  }
  await writeWhole(path, content);
}

/** What to say when a file or folder of a run cannot be written. */
export function writeError(path: string, cause: unknown): FedleakError {
  const code = codeOf(cause);
  const [got, remedy] = REASONS[code] ?? [
    `"${cause instanceof Error ? cause.message : String(cause)}"`,
    "Check the path.",
  ];
  return new FedleakError({ who: `${WRITE} ${path}`, must: "the run must be able to write there", got, remedy, cause });
}

/** Whether an error is one of `writeError`. */
export function isWriteError(error: unknown): boolean {
  return error instanceof FedleakError && error.who.startsWith(`${WRITE} `);
}

/** Whether a write failed because somebody else has written the file. */
export function isTaken(error: unknown): boolean {
  return isWriteError(error) && codeOf((error as FedleakError).cause) === "EEXIST";
}

const WRITE = "write";
const SPACE = "Free some space or choose another folder with --out; a run that had begun goes on with fedleak resume.";
const RIGHTS = "Check the permissions, or choose another folder with --out.";
const PATH = "Check the path, or choose another folder with --out.";

/** By the system's error code: what it means and what to do. */
const REASONS: Readonly<Record<string, readonly [got: string, remedy: string]>> = {
  ENOSPC: ["no space left on the device", SPACE],
  EDQUOT: ["a disk quota that is used up", SPACE],
  EFBIG: ["a limit on the size of files", SPACE],
  EACCES: ["no right to write", RIGHTS],
  EPERM: ["no right to write", RIGHTS],
  EROFS: ["a file system that is read-only", RIGHTS],
  EEXIST: ["a file of another run", "Choose another folder with --out."],
  ENOTDIR: ["a file where a folder was expected", PATH],
  ENOENT: ["a path that cannot exist", PATH],
  ENAMETOOLONG: ["a name that is too long", PATH],
};

/** A name beside `path` that no other process uses. */
function temporary(path: string): string {
  return `${path}.${randomUUID()}.tmp`;
}

const OWNER_ONLY = 0o600; // a run's files may hold or tell of private images

async function writeAndSync(path: string, content: Uint8Array | string, flags = "w"): Promise<void> {
  const file = await open(path, flags, OWNER_ONLY);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Brings a rename to the disk; systems that cannot open folders do it themselves. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

function codeOf(cause: unknown): string {
  return String((cause as NodeJS.ErrnoException | null)?.code ?? "");
}
