import { createHash, randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ProgramStore } from "../runtime/index.ts";
import { ownCache, usualCache } from "./cache-folder.ts";
import { versions } from "./versions.ts";

export interface ProgramStoreOptions {
  readonly folder?: string;
  /** Bytes that all files may have together. */
  readonly limit?: number;
  /** What the programs depend on beside their graphs; another text, other keys. */
  readonly about?: string;
}

const LIMIT = 1 << 29; // bytes, 512 MB (our choice): some dozens of large programs

/**
 * Compiled programs in a folder: `programs` in FEDLEAK_CACHE, else in ~/.cache/fedleak.
 *
 * A file is written under another name and then renamed, so several processes may use one folder at a time. When all files
 * exceed the limit, the oldest go, where reading a file makes it new. Where the folder cannot be read or written, is another
 * user's, or may be written by others, nothing is kept, and nobody is told: everything works as before.
 */
export function programStore(options: ProgramStoreOptions = {}): ProgramStore {
  const { folder = programFolder(), limit = LIMIT, about = HERE } = options;
  if (about === undefined) return NOWHERE;
  return {
    about,
    read: async (key) => {
      if (!(await isOnlyOurs(folder))) return undefined;
      const path = join(folder, key);
      const bytes = await readFile(path).catch(() => undefined);
      const now = new Date();
      if (bytes) await utimes(path, now, now).catch(() => undefined);
      return bytes;
    },
    write: async (key, bytes) => {
      if (bytes.length > limit) return;
      const fresh = join(folder, `${key}.${randomUUID()}.tmp`);
      try {
        await mkdir(folder, { recursive: true, mode: OWNER_ONLY | 0o100 });
        if (!(await isOnlyOurs(folder))) return;
        await writeFile(fresh, bytes, { mode: OWNER_ONLY });
        await rename(fresh, join(folder, key));
        await evict(folder, limit);
      } catch {
        await rm(fresh, { force: true }).catch(() => undefined); // no right, no space: then without
      }
    },
  };
}

const NOWHERE: ProgramStore = { about: "", read: async () => undefined, write: async () => undefined };

const OWNER_ONLY = 0o600; // programs tell of the model and hold what was computed of its weights; of an observation they hold nothing

function programFolder(): string {
  return join(ownCache() ?? usualCache(), "programs");
}

/** Whether nobody else can have put a program into the folder; systems without such rights are trusted. */
async function isOnlyOurs(folder: string): Promise<boolean> {
  const user = process.getuid?.();
  if (user === undefined) return true;
  const found = await stat(folder).catch(() => undefined);
  return found !== undefined && found.uid === user && (found.mode & WRITTEN_BY_OTHERS) === 0;
}

const WRITTEN_BY_OTHERS = 0o022;

const OURS = /^[0-9a-f]{64}(\.[0-9a-f-]{36}\.tmp)?$/; // names that `write` gives

/** Removes the oldest of our files until the rest of them is within the limit. */
async function evict(folder: string, limit: number): Promise<void> {
  const names = (await readdir(folder)).filter((name) => OURS.test(name));
  const files = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => undefined); // another process may have removed it
      return { name, size: found?.size ?? 0, time: found?.mtimeMs ?? 0 };
    }),
  );
  let size = files.reduce((sum, file) => sum + file.size, 0);
  for (const file of files.sort((a, b) => a.time - b.time)) {
    if (size <= limit) return;
    await rm(join(folder, file.name), { force: true }).catch(() => undefined); // a folder, or not ours to remove
    size -= file.size;
  }
}

/**
 * The versions, the processor, and a hash of the code that makes programs of graphs: whoever changes it gets new programs.
 * Undefined where the code is not beside this file, as in a bundle.
 */
function aboutHere(): string | undefined {
  try {
    return JSON.stringify([versions(), cpus()[0]?.model, ...CODE.map(hashOf)]);
  } catch {
    return undefined;
  }
}

const CODE = ["util", "tensor", "graph", "runtime"]; // layers

/** Of the code that is loaded: it may change on disk while this process runs. */
const HERE = aboutHere();

function hashOf(layer: string): string {
  const folder = fileURLToPath(new URL(`../${layer}`, import.meta.url));
  const hash = createHash("sha256");
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    if (/\.[jt]s$/.test(file)) hash.update(file).update(readFileSync(join(folder, file)));
  }
  return hash.digest("hex");
}
