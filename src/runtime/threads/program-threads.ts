import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import type { OpenProgram, Program, Repeated } from "../session.ts";
import type { ProgramTask } from "./program-thread.ts";

/** Threads that run programs side by side. */
export interface ProgramThreads {
  /** Opens a program whose runs may overlap: as many go at once as there are threads, further ones wait. */
  readonly open: OpenProgram;
  /** Ends the threads, and all their programs. */
  release(): Promise<void>;
}

/**
 * Up to `count` threads, started when there is work; each opens a program when it first runs it.
 *
 * Two runs of one processor thread each, side by side, take 0.6 of the time of two one after the other with two threads each (a training
 * step of resnet10, B=16): many of onnxruntime's kernels use one thread however many there are.
 */
export function programThreads(count: number): ProgramThreads {
  const pool = new Piscina<ProgramTask, Repeated>({
    filename: THREAD,
    ...(isSource && { execArgv: ["--require", createRequire(import.meta.url).resolve("tsx/cjs")] }),
    ...{ minThreads: 0, maxThreads: count, idleTimeout: Number.POSITIVE_INFINITY, atomics: "disabled" },
  });
  const live = new Set<number>();
  let opened = 0;
  return {
    open: async (model, options) => {
      const program = opened++;
      live.add(program);
      const task = () => ({ program, live: [...live], model, options });
      await pool.run(task()); // what is wrong with it shows now
      const repeat: Program["repeat"] = (...runs) => pool.run({ ...task(), runs });
      return {
        inputNames: model.inputs.map(({ name }) => name),
        run: async (feeds) => (await repeat(feeds, [{}], {})).each[0]!,
        repeat,
        release: async () => {
          live.delete(program); // closed with the next task
        },
      };
    },
    release: () => pool.destroy(),
  };
}

const extension = extname(import.meta.url);
const isSource = extension === ".ts"; // not built: the thread needs the loader
const THREAD = fileURLToPath(new URL(`./program-thread${extension}`, import.meta.url));

/** How at most `jobs` jobs share the processor's threads (0: one a core): so many at once, with so many threads each. */
export function sharedThreads(threads: number, jobs: number): { readonly atOnce: number; readonly threads: number } {
  const all = threads === 0 ? availableParallelism() : threads;
  const atOnce = Math.min(all, jobs);
  return { atOnce, threads: Math.floor(all / atOnce) };
}
