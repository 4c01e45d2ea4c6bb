import type { Node } from "../graph/index.ts";
import { type CompileOptions, compile } from "./compile.ts";
import type { Program } from "./session.ts";
import type { ProgramStore } from "./stored/store.ts";

/** Compiles a graph, as `compile` does. */
export type Compile = (outputs: Readonly<Record<string, Node>>, options?: CompileOptions) => Promise<Program>;

/** Programs that are compiled once and kept until the cache is released. */
export interface ProgramCache {
  /** The program of these outputs and options: the kept one, if there is one. Its own `release` does nothing. */
  readonly compile: Compile;
  /** Frees all programs. The cache is empty afterwards and may be used again. */
  release(): Promise<void>;
}

/**
 * A cache of programs. Two requests are the same when the output names stand for the same nodes (equal graphs are the
 * same nodes), device, threads and `open` agree, and the same tensor objects are baked in. A failed compilation is not kept. With a store, new
 * programs are looked for there first.
 */
export function programCache(store?: ProgramStore): ProgramCache {
  let entries: { readonly key: Key; readonly program: Promise<Program> }[] = [];
  return {
    compile: async (outputs, options = {}) => {
      const key = keyOf(outputs, options);
      const known = entries.find((entry) => sameKey(entry.key, key));
      if (known) return borrowed(await known.program);
      const entry = { key, program: compile(outputs, { store, ...options }) };
      entries.push(entry);
      try {
        return borrowed(await entry.program);
      } catch (error) {
        entries = entries.filter((other) => other !== entry);
        throw error;
      }
    },
    release: async () => {
      const programs = await Promise.allSettled(entries.map(({ program }) => program));
      entries = [];
      await Promise.all(programs.map((made) => made.status === "fulfilled" && made.value.release()));
    },
  };
}

/** What must be the same, compared by identity. */
type Key = ReadonlyMap<string, unknown>;

function keyOf(
  outputs: Readonly<Record<string, Node>>,
  { bake = {}, device = "cpu", threads = 0, open }: CompileOptions,
): Key {
  return new Map<string, unknown>([
    ["device", device],
    ["threads", threads],
    ["open", open],
    ...Object.entries(outputs).map(([name, node]) => [`output ${name}`, node] as const),
    ...Object.entries(bake).map(([name, tensor]) => [`bake ${name}`, tensor] as const),
  ]);
}

function sameKey(a: Key, b: Key): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.has(name) && b.get(name) === value);
}

function borrowed(program: Program): Program {
  return { ...program, release: async () => {} };
}
