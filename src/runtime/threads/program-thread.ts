import { move, transferableSymbol, valueSymbol, workerData } from "piscina";
import type { Executable } from "../executable.ts";
import { openSession, type Program, type Repeated, repeated, type SessionOptions } from "../session.ts";
import { type Gate, inside } from "./gate.ts";

/** Runs of a program. Every task says the whole program, since any free thread takes it and may not know it yet. */
export interface ProgramTask {
  /** Its number, by which a thread knows it again. */
  readonly program: number;
  /** The numbers of all programs in use; a thread closes others. */
  readonly live: readonly number[];
  readonly model: Executable;
  readonly options: SessionOptions;
  /** What `repeat` is given; absent: it is to be opened only. */
  readonly runs?: Parameters<Program["repeat"]>;
}

/** What a thread does with a task. Its memory of open programs is the thread's own; `threadPool` starts threads. */
export default async function work({ program, live, model, options, runs }: ProgramTask): Promise<unknown> {
  for (const [number, old] of [...programs].filter(([number]) => !live.includes(number))) {
    programs.delete(number);
    await old.release();
  }
  const opened = programs.get(program) ?? (await inside(gate, () => openSession(model, options)));
  programs.set(program, opened);
  return runs && handedOver(await repeated((feeds) => inside(gate, () => opened.run(feeds)), ...runs));
}

const programs = new Map<number, Program>();
const { gate } = workerData as { readonly gate: Gate };

/** Results with the wish that their memory change hands instead of being copied: each run makes it anew. */
function handedOver(results: Repeated): unknown {
  const tensors = [...results.each, results.last].flatMap((made) => Object.values(made));
  return move({
    [valueSymbol]: results,
    [transferableSymbol]: tensors.map(({ data }) => data.buffer as ArrayBuffer),
  });
}
