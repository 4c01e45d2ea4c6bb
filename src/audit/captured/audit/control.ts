import type { Model } from "../../../nn/index.ts";
import { float32, type Tensor, type Tensors } from "../../../tensor/index.ts";
import { type Key, permutation, split, uniform } from "../../../util/index.ts";

/**
 * The update of nobody that an audit is held against: every tensor's entries in another order and of drawn signs, the head's
 * as they are.
 *
 * Norms and the distribution of the entries stay, tensor by tensor, and so do the labels, which any images of these classes
 * explain; what an image alone can explain is gone. An attack that fits the captured update no better than this one
 * has shown nothing. A model that is nothing but its head is permuted whole. Source: none; our choice (METHODS asks for a mismatched
 * gradient; one of other images would be explained as well as the real one, so it tells nothing of the fit).
 */
export function permutedUpdate(update: Tensors<"float32">, head: Model["head"], key: Key): Tensors<"float32"> {
  const kept = new Set([head.weight, ...(head.bias === undefined ? [] : [head.bias])]);
  const names = Object.keys(update);
  const all = names.every((name) => kept.has(name));
  return Object.fromEntries(
    names.map((name) => [name, all || !kept.has(name) ? permuted(update[name]!, split(key, name)) : update[name]!]),
  );
}

/** What is told of it. */
export const CONTROL_ABOUT =
  "the captured update with the entries of every tensor but the head's in another order and of drawn signs";

function permuted({ shape, data }: Tensor<"float32">, key: Key): Tensor<"float32"> {
  const order = permutation(split(key, "order"), data.length);
  const signs = uniform(split(key, "signs"), data.length);
  return float32(
    shape,
    order.map((from, i) => (signs[i]! < 0.5 ? -data[from]! : data[from]!)), // 0.5: a fair coin
  );
}
