/** The k-th largest of many numbers without sorting them all. */
import type { AttrsOf, Node } from "../../graph/index.ts";
import type { Context } from "./context.ts";

const MANY = 1 << 16; // our choice: below, TopK over everything takes under 2 ms
const SAMPLE = 1 << 14; // our choice: the bracket then holds about 5 % of the numbers
const DEVIATIONS = 6; // of the sample's rank: the k-th number is outside of the bracket about twice in 10⁹ draws

/**
 * [… ,n] → [… ,1]. Long vectors: a sample gives two bounds that hold the k-th largest between them almost surely; what is
 * above is counted, what is between is searched. Where the bounds turn out not to hold it, everything is searched: the
 * result is exact in any case.
 */
export function kthLargest({ inputs: [x], attrs: { k } }: Node<AttrsOf<"kth-largest">>, c: Context): string {
  const n = x!.shape.at(-1)!;
  const value = c.value(x!);
  const everything = () => select(value, c.ints([k]), x!.shape.length - 1, nearerEnd(k, n), n, c);
  if (n < MANY || n !== x!.shape.reduce((a, b) => a * b) || sampleStride(n) === 1) return everything();
  const flat = c.op("Reshape", [value, c.ints([n])]);
  const { above, inside } = bracket(flat, k / n, n, c);
  const left = c.op("Sub", [c.ints([k]), above]);
  const within = c.op("And", [
    c.op("GreaterOrEqual", [left, c.ints([1])]),
    c.op("LessOrEqual", [left, c.op("Shape", [inside])]),
  ]);
  const few = () => c.op("Reshape", [select(inside, left, 0, "top", n, c), c.ints([...x!.shape.slice(0, -1), 1])]);
  return c.choose(c.op("Squeeze", [within]), few, everything);
}

type End = "top" | "bottom";

function nearerEnd(k: number, n: number): End {
  return k <= n - k + 1 ? "top" : "bottom";
}

/** The k largest (or the n − k + 1 smallest), unordered, and of these the least (largest), along one axis, kept. */
function select(value: string, k: string, axis: number, end: End, n: number, c: Context): string {
  const count = end === "top" ? k : c.op("Sub", [c.ints([n + 1]), k]);
  const [chosen] = c.ops("TopK", [value, count], { axis: -1, largest: end === "top" ? 1 : 0, sorted: 0 }, 2);
  return c.op(end === "top" ? "ReduceMin" : "ReduceMax", [chosen!, c.ints([axis])], { keepdims: 1 });
}

/** How many of the numbers are above the bracket around the given share of largest ones, and those that are inside. */
function bracket(flat: string, share: number, n: number, c: Context): { above: string; inside: string } {
  const stride = sampleStride(n);
  const m = Math.ceil(n / stride);
  const sample = c.op("Slice", [flat, c.ints([0]), c.ints([n]), c.ints([0]), c.ints([stride])]);
  const slack = DEVIATIONS * Math.sqrt(m * share * (1 - share)) + 2;
  const bound = (rank: number) => {
    const r = Math.min(m, Math.max(1, rank));
    return select(sample, c.ints([r]), 0, nearerEnd(r, m), m, c);
  };
  const [high, low] = [Math.floor(share * m - slack), Math.ceil(share * m + slack)];
  const over = high >= 1 ? c.op("Greater", [flat, bound(high)]) : undefined;
  const under = low <= m ? c.op("Less", [flat, bound(low)]) : undefined;
  const outside = over && under ? c.op("Or", [over, under]) : (over ?? under);
  return {
    above: over ? count(over, c) : c.ints([0]),
    inside: outside ? c.op("Compress", [flat, c.op("Not", [outside])], { axis: 0 }) : flat,
  };
}

/** How many of a vector of bools hold, int64 [1]. */
function count(flags: string, c: Context): string {
  const total = c.op("ReduceSum", [c.op("Cast", [flags], { to: 6 }), c.ints([0])], { keepdims: 1 }); // INT32
  return c.op("Cast", [total], { to: 7 }); // INT64
}

/**
 * How far apart the sampled numbers stand: near n/SAMPLE, and coprime to n, so that a sample of a weight's gradient
 * meets all rows, columns and channels alike. 1 (no sampling) when there is none below n/256.
 */
export function sampleStride(n: number): number {
  const near = Math.floor(n / SAMPLE);
  for (let s = near; s > 1; s--) if (gcd(s, n) === 1) return s;
  for (let s = near + 1; s <= n / 256; s++) if (gcd(s, n) === 1) return s;
  return 1;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
