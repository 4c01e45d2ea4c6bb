import {
  abs,
  add,
  broadcastTo,
  cast,
  concat,
  greater,
  greaterEqual,
  kthLargest,
  max,
  type Node,
  neg,
  reshape,
  scalar,
  stopGradient,
  sub,
  where,
} from "../../../graph/index.ts";
import { sizeOf } from "../../../tensor/index.ts";

/** 1 where an entry is not 0, of x's shape. */
export function nonZero(x: Node): Node {
  return cast(greater(abs(x), 0));
}

/** 1 − x: the other entries of a mask. */
export function others(mask: Node): Node {
  return sub(1, mask);
}

/** The smallest magnitude among the entries that are not 0, over several tensors: a scalar; 0 where all entries are 0. */
export function leastMagnitude(tensors: readonly Node[]): Node {
  const negated = tensors.map((x) => max(where(greater(abs(x), 0), neg(abs(x)), NEVER)));
  const least = neg(
    max(
      concat(
        negated.map((x) => reshape(x, [1])),
        0,
      ),
    ),
  );
  return where(greater(least, -NEVER / 2), scalar(0), least);
}

const NEVER = -1e30; // below minus any magnitude

/** 1 for the `count` entries of largest magnitude over several tensors (ties all kept), 0 for the others; no gradient flows through. */
export function largestMasks(tensors: readonly Node[], count: number): Node[] {
  if (count === 0) return tensors.map((x) => broadcastTo(scalar(0), x.shape));
  const flat = tensors.map((x) => reshape(stopGradient(abs(x)), [sizeOf(x.shape)]));
  const threshold = kthLargest(concat(flat, 0), count);
  return flat.map((values, i) =>
    reshape(cast(greaterEqual(values, broadcastTo(threshold, values.shape))), tensors[i]!.shape),
  );
}

/** Lists of equally many nodes added pair by pair; the first may be absent. */
export function summed(before: readonly Node[] | undefined, more: readonly Node[]): readonly Node[] {
  return before ? before.map((node, i) => add(node, more[i]!)) : more;
}

/** The sum of scalars. */
export function total(scalars: readonly Node[]): Node {
  return scalars.reduce((a, b) => add(a, b));
}
