import { type AttackRun, advance } from "../attacks/index.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { IterationEvent } from "./events.ts";

export interface Iteration {
  readonly attack: AttackRun;
  readonly part: IterationEvent["part"];
  readonly from: Checkpoint;
  readonly iterations: number;
  readonly checkpointEvery: number;
  /** What to do after each iteration, with the state it led to. */
  readonly onIteration: (event: IterationEvent, at: Checkpoint) => void | Promise<void>;
  readonly save: (at: Checkpoint) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** How a run of iterations ended and where; after a failure `at` is the last good state. */
export interface IterationEnd {
  readonly status: "finished" | "interrupted" | "failed";
  readonly at: Checkpoint;
  /** Why it failed. */
  readonly failure?: string;
}

/**
 * Runs an attack from a checkpoint until its iterations are done, a number is not finite, or the signal is aborted.
 *
 * Saves every `checkpointEvery` iterations and at the end, whatever ended it. Where the checkpoints fall changes nothing.
 */
export async function iterate(plan: Iteration): Promise<IterationEnd> {
  const { attack, part, from, iterations, checkpointEvery, onIteration, save, signal } = plan;
  const began = performance.now();
  const now = () => from.seconds + (performance.now() - began) / 1000;
  const since = { iteration: from.state.iteration, seconds: from.seconds };
  let at = from;
  const last = await advance(attack, from.state, iterations, async ({ state, loss, cosine }) => {
    at = { state, seconds: now() };
    const { iteration, evaluations } = state;
    await onIteration({ part, iteration, iterations, evaluations, seconds: at.seconds, since, loss, cosine }, at);
    if (iteration % checkpointEvery === 0 && !attack.finished(state)) await save(at);
    return !signal?.aborted;
  });
  await save(at);
  if (last?.failure) return { status: "failed", at, failure: last.failure.message };
  return { status: attack.finished(at.state) ? "finished" : "interrupted", at };
}
