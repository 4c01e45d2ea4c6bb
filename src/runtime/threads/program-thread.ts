import { move, transferableSymbol, valueSymbol } from "piscina";
import type { Tensors } from "../../tensor/index.ts";
import type { Executable } from "../executable.ts";
import { openSession, type Program, type SessionOptions } from "../session.ts";

/** One run of a program. Every task says the whole program, since any free thread takes it and may not know it yet. */
export interface ProgramTask {
  /** Its number, by which a thread knows it again. */
  readonly program: number;
  /** The numbers of all programs in use; a thread closes others. */
  readonly live: readonly number[];
  readonly model: Executable;
  readonly options: SessionOptions;
  /** Absent: it is to be opened only. */
  readonly feeds?: Tensors;
}

/** What a thread does with a task. Its memory of open programs is the thread's own; `programThreads` starts threads. */
export default async function work({ program, live, model, options, feeds }: ProgramTask): Promise<unknown> {
  for (const [number, old] of [...programs].filter(([number]) => !live.includes(number))) {
    programs.delete(number);
    await old.release();
  }
  const opened = programs.get(program) ?? (await openSession(model, options));
  programs.set(program, opened);
  return feeds && handedOver(await opened.run(feeds));
}

const programs = new Map<number, Program>();

/** Results with the wish that their memory change hands instead of being copied: each run makes it anew. */
function handedOver(results: Tensors<"float32">): unknown {
  return move({
    [valueSymbol]: results,
    [transferableSymbol]: Object.values(results).map(({ data }) => data.buffer as ArrayBuffer),
  });
}
