import type { OpenProgram, Program } from "../session.ts";
import { lender } from "./lent.ts";
import type { ThreadPool } from "./thread-pool.ts";

/** Threads that run programs side by side. */
export interface ProgramThreads {
  readonly count: number;
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
  let pool: Promise<ThreadPool> | undefined;
  const lent = lender();
  const live = new Set<number>();
  let opened = 0;
  return {
    count,
    open: async (model, options) => {
      pool ??= import("./thread-pool.ts").then(({ threadPool }) => threadPool(count)); // a browser has none
      const { run } = await pool;
      const program = opened++;
      live.add(program);
      const task = () => ({ program, live: [...live], model, options });
      await run(task()); // what is wrong with it shows now
      const repeat: Program["repeat"] = (feeds, ...rest) => run({ ...task(), runs: [lent(feeds), ...rest] });
      return {
        inputNames: model.inputs.map(({ name }) => name),
        run: async (feeds) => (await repeat(feeds, [{}], {})).each[0]!,
        repeat,
        release: async () => {
          live.delete(program); // closed with the next task
        },
      };
    },
    release: async () => (await pool)?.release(),
  };
}

/**
 * How at most `jobs` jobs share the processor's threads (0: one a core): so many at once, with so many threads each. What does not
 * share out is left over.
 */
export async function sharedThreads(
  threads: number,
  jobs: number,
): Promise<{ readonly atOnce: number; readonly threads: number }> {
  const all = threads === 0 ? (await import("./thread-pool.ts")).processorThreads() : threads;
  const atOnce = Math.min(all, jobs);
  return { atOnce, threads: Math.floor(all / atOnce) };
}
