import { type Key, split, uniform } from "../../src/util/index.ts";

/** Draws one after the other, all from one key. */
export interface Draws {
  /** A number in [0,1). */
  next(): number;
  /** A whole number from 0 to below n; 0 for n ≤ 1. */
  below(n: number): number;
  of<T>(list: readonly T[]): T;
  bytes(count: number): Uint8Array;
}

const AT_ONCE = 256; // our choice

export function drawsOf(key: Key): Draws {
  let [block, at] = [0, AT_ONCE];
  let values: ArrayLike<number> = [];
  const next = (): number => {
    if (at === AT_ONCE) {
      values = uniform(split(key, block++), AT_ONCE);
      at = 0;
    }
    return values[at++]!;
  };
  const below = (n: number): number => Math.min(Math.max(0, n - 1), Math.floor(next() * n));
  return {
    next,
    below,
    of: (list) => list[below(list.length)]!,
    bytes: (count) => Uint8Array.from({ length: count }, () => below(256)),
  };
}
