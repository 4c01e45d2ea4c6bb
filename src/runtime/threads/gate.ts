/**
 * A count of threads that are inside the runtime, in memory that all threads share, and a word that none may enter any more.
 *
 * A thread that is ended while it is there takes the process with it, so whoever ends threads closes the gate first.
 */
export type Gate = Int32Array<SharedArrayBuffer>;

const [INSIDE, CLOSED] = [0, 1] as const;

export function openGate(): Gate {
  return new Int32Array(new SharedArrayBuffer(8));
}

/** Does `work` inside; behind a closed gate it is never done. */
export async function inside<T>(gate: Gate, work: () => Promise<T>): Promise<T> {
  Atomics.add(gate, INSIDE, 1);
  try {
    if (Atomics.load(gate, CLOSED) === 0) return await work();
  } finally {
    Atomics.sub(gate, INSIDE, 1);
    Atomics.notify(gate, INSIDE);
  }
  return new Promise<never>(() => undefined); // the thread is about to be ended
}

/** Lets nobody in any more and waits, standing still, until all are out: as long as a run takes, a minute at most (our choice). */
export function closeGate(gate: Gate): void {
  Atomics.store(gate, CLOSED, 1);
  for (let left = Atomics.load(gate, INSIDE); left > 0; left = Atomics.load(gate, INSIDE)) {
    if (Atomics.wait(gate, INSIDE, left, 60_000) === "timed-out") return;
  }
}
