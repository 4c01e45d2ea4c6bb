/**
 * Does `work` on every item in order, `count` at once, until none is left or the signal is aborted.
 *
 * An error in one stops the others, by the signal that `work` is given, and is thrown once all stand still.
 */
export async function lanes<T>(
  items: readonly T[],
  count: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const own = new AbortController();
  const stop = () => own.abort(signal?.reason); // the same reason, by which a run tells whose stop it was
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);
  const queue = items.values(); // shared: each lane takes the next
  const lane = async () => {
    for (const item of queue) {
      if (own.signal.aborted) return;
      await work(item, own.signal);
    }
  };
  const ends = await Promise.allSettled(
    Array.from({ length: Math.min(count, items.length) }, () =>
      lane().catch((error) => {
        own.abort(error);
        throw error;
      }),
    ),
  );
  signal?.removeEventListener("abort", stop);
  const broken = ends.find((end) => end.status === "rejected");
  if (broken) throw broken.reason;
}
