import { fail, type Key, permutation, split } from "../util/index.ts";

export interface BatchOrder {
  /** M, the number of images. */
  readonly count: number;
  /** B ≤ M. */
  readonly batchSize: number;
  readonly key: Key;
}

/**
 * Which images each step takes: B different ones of M, each image at most once an epoch of ⌊M/B⌋ steps.
 *
 * Epoch e is the permutation drawn from split(key, e), cut into batches; what is left over rests for that epoch (as
 * drop_last of PyTorch's DataLoader). A function of the step alone, so a run can go on anywhere.
 * Throws FedleakError when B is not a whole number from 1 to M.
 */
export function batchOrder({ count, batchSize, key }: BatchOrder): (step: number) => number[] {
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > count) {
    fail({
      who: "batches",
      must: `the batch size must be a whole number from 1 to ${count}, the number of images`,
      got: `${batchSize}`,
      remedy: "Choose a smaller batch (--batch) or more images.",
    });
  }
  const perEpoch = Math.floor(count / batchSize);
  let last: { readonly epoch: number; readonly order: readonly number[] } | undefined; // kept, as the next step needs it again
  return (step) => {
    const epoch = Math.floor(step / perEpoch);
    if (last?.epoch !== epoch) last = { epoch, order: permutation(split(key, epoch), count) };
    const start = (step % perEpoch) * batchSize;
    return last.order.slice(start, start + batchSize);
  };
}
