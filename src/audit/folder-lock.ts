import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { link, readFile, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { fail } from "../util/index.ts";
import { FILES } from "./run-folder.ts";
import { isTaken, writeNew } from "./write-file.ts";

/** The right to write a folder; disposing of it gives it back. */
export type FolderLock = AsyncDisposable;

/**
 * Takes a folder for this process alone, so that no two begin or go on with the work in it at once.
 *
 * The lock is a file that names its owner. It is removed when it is given back and when the process ends in order; that of
 * a process that was killed is recognised and replaced. Of an owner on another machine nothing can be known: it counts as
 * alive. Throws FedleakError when somebody holds the folder, or nothing can be written there.
 * Our own, since libraries of the kind tell a dead owner by the age of the file alone, and `resume` should not have to wait.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, FILES.lock);
  const mine: Owner = { id: randomUUID(), pid: process.pid, bornMs: BORN_MS, host: hostname() };
  await take(path, mine);
  const leave = () => rmSync(path, { force: true });
  process.once("exit", leave);
  return {
    [Symbol.asyncDispose]: async () => {
      process.off("exit", leave);
      await rm(path, { force: true });
    },
  };
}

interface Owner {
  readonly id: string;
  readonly pid: number;
  /** When its process was born, in ms since 1970: a number of a process may be given again. */
  readonly bornMs: number;
  readonly host: string;
}

const BORN_MS = Math.round(Date.now() - performance.now());
const CLOCK_MS = 2000; // by how much a clock that is set may move the birth of one process; our choice
const WRITING_MS = 500; // to write a hundred bytes; our choice
const TRIES = 5; // how often a dead lock is replaced before somebody else; our choice

async function take(path: string, mine: Owner, tries = TRIES): Promise<void> {
  try {
    await writeNew(path, JSON.stringify(mine));
  } catch (error) {
    if (!isTaken(error)) throw error;
    const text = await textOf(path);
    if (text !== undefined && (isHeld(text) || tries === 0)) return complain(path, text);
    if (text !== undefined) await removeDead(path, text);
    await take(path, mine, tries - 1);
  }
}

/** The text of a lock, with a moment's time for its owner to finish writing it; undefined when it is gone. */
async function textOf(path: string): Promise<string | undefined> {
  const read = () => readFile(path, "utf8").catch(() => undefined);
  const text = await read();
  if (text === undefined || ownerIn(text) !== undefined) return text;
  await new Promise((resolve) => setTimeout(resolve, WRITING_MS));
  return read();
}

/** Removes the lock of a dead owner, unless another process was first and it is that one's by now. */
async function removeDead(path: string, text: string): Promise<void> {
  const aside = `${path}.${randomUUID()}.tmp`;
  await rename(path, aside).catch(() => undefined);
  const found = await readFile(aside, "utf8").catch(() => text);
  if (found !== text) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

/** Whether the owner may still be at work. A file cut short is nobody's: its process died while it wrote. */
function isHeld(text: string): boolean {
  const owner = ownerIn(text);
  if (owner === undefined) return false;
  if (owner.host !== hostname()) return true;
  if (owner.pid === process.pid) return Math.abs(owner.bornMs - BORN_MS) < CLOCK_MS;
  try {
    process.kill(owner.pid, 0); // only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function ownerIn(text: string): Owner | undefined {
  try {
    return JSON.parse(text) as Owner;
  } catch {
    return undefined;
  }
}

function complain(path: string, text: string): never {
  const { pid, host } = ownerIn(text) ?? {};
  return fail({
    who: `folder of ${path}`,
    must: "one process at a time may work in it",
    got: `process ${pid} on ${host}, which is at work there`,
    remedy: `Wait for it or stop it. If there is no such process, remove ${path}.`,
  });
}
