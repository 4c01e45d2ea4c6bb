import { type Compile, compile, type ProgramCache, type ProgramThreads, programCache } from "../runtime/index.ts";
import type { TrainingProgram } from "./training-step.ts";

/** The programs of one batch size. */
export interface BatchPrograms {
  readonly compile: Compile;
  /** The training step, whose graph is built once. */
  readonly training: () => Promise<TrainingProgram>;
}

/** Programs of a federation's clients, those of the most recently used batch sizes. */
export interface RecentPrograms {
  /** Does `work` with the programs of a batch size, which are kept at least as long. */
  using<T>(batchSize: number, work: (programs: BatchPrograms) => Promise<T>): Promise<T>;
  release(): Promise<void>;
}

/** `train` makes a batch size's training step; `beside`: where kept programs run, absent: in this thread. */
export function recentPrograms(
  train: (batchSize: number, compile: Compile) => Promise<TrainingProgram>,
  beside?: ProgramThreads,
): RecentPrograms {
  const most = Math.max(1, Math.floor(MOST_KEPT / (beside?.count ?? 1)));
  const kept = new Map<number, Kept>(); // the least recently used first
  const makeRoom = async () => {
    const idle = [...kept].filter(([, { users }]) => users === 0);
    for (const [batchSize, { cache }] of idle.slice(0, Math.max(0, kept.size - most))) {
      kept.delete(batchSize);
      await cache.release();
    }
  };
  return {
    using: async (batchSize, work) => {
      const entry = kept.get(batchSize) ?? { cache: programCache(), training: undefined, users: 0 };
      kept.delete(batchSize);
      kept.set(batchSize, entry);
      entry.users++;
      const own = keeping(entry.cache, beside);
      try {
        await makeRoom();
        return await work({
          compile: own,
          training: () => {
            entry.training ??= train(batchSize, own).catch((error: unknown) => {
              entry.training = undefined; // what failed is not kept
              throw error;
            });
            return entry.training;
          },
        });
      } finally {
        entry.users--;
      }
    },
    release: async () => {
      for (const { cache } of kept.values()) await cache.release();
      kept.clear();
    },
  };
}

interface Kept {
  readonly cache: ProgramCache;
  training: Promise<TrainingProgram> | undefined;
  /** Turns that use it now: it is not freed under them. */
  users: number;
}

const MOST_KEPT = 4; // batch sizes times threads that open them; our choice: programs take some hundred megabytes each

/** A program with weights baked in serves one turn, so it is not kept. */
function keeping(cache: ProgramCache, beside: ProgramThreads | undefined): Compile {
  return (outputs, options) =>
    Object.keys(options?.bake ?? {}).length > 0
      ? compile(outputs, options)
      : cache.compile(outputs, { ...options, open: beside?.open });
}
