import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import { FedleakError } from "../../util/index.ts";
import type { Repeated } from "../session.ts";
import { closeGate, openGate } from "./gate.ts";
import type { ProgramTask } from "./program-thread.ts";

export interface ThreadPool {
  /** What `repeat` comes to in the next thread that is free. Throws FedleakError when threads cannot be started. */
  run(task: ProgramTask): Promise<Repeated>;
  release(): Promise<void>;
}

/** Up to `count` threads, started when there is work. A process that ends lets them finish the run that they are at. */
export function threadPool(count: number): ThreadPool {
  const gate = openGate();
  const pool = new Piscina<ProgramTask, Repeated>({
    ...{ filename: THREAD, workerData: { gate } },
    ...(isSource && { execArgv: ["--require", createRequire(import.meta.url).resolve("tsx/cjs")] }),
    ...{ minThreads: 0, maxThreads: count, idleTimeout: Number.POSITIVE_INFINITY, atomics: "disabled" },
  });
  const waiting = new Set<(error: FedleakError) => void>(); // not one promise for all runs, which would keep what each came to
  let broken: FedleakError | undefined;
  pool.on("error", (cause) => {
    broken = threadError(cause);
    for (const reject of waiting) reject(broken);
  });
  const close = () => closeGate(gate);
  process.once("exit", close);
  return {
    run: async (task) => {
      if (broken) throw broken;
      return new Promise((resolve, reject) => {
        waiting.add(reject);
        pool
          .run(task)
          .then(resolve, reject)
          .finally(() => waiting.delete(reject));
      });
    },
    release: async () => {
      process.off("exit", close);
      close();
      await pool.destroy();
    },
  };
}

/** The processor's threads: one a core. */
export const processorThreads = availableParallelism;

const extension = extname(import.meta.url);
const isSource = extension === ".ts"; // not built: the thread needs the loader
const THREAD = fileURLToPath(new URL(`./program-thread${extension}`, import.meta.url));

function threadError(cause: unknown): FedleakError {
  return new FedleakError({
    who: "threads",
    must: "they must start and stay",
    got: `"${cause instanceof Error ? cause.message : cause}"`,
    remedy: "Use --threads 1, which needs no further ones.",
    cause,
  });
}
