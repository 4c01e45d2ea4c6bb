import type { Tensor, Tensors } from "../../tensor/index.ts";

/**
 * Feeds in memory that all threads read, so that a message carries no copy: once for each array, however often it is fed, as tensors do
 * not change. Small ones are left as they are.
 */
export function lender(): (feeds: Tensors) => Tensors {
  const lent = new WeakMap<Float32Array, Float32Array>();
  const one = (tensor: Tensor): Tensor => {
    const { data } = tensor;
    if (!(data instanceof Float32Array) || data.length < WORTH_LENDING) return tensor;
    const known = lent.get(data) ?? copied(data);
    lent.set(data, known);
    return { ...tensor, dtype: "float32", data: known };
  };
  return (feeds) => Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, one(tensor)]));
}

const WORTH_LENDING = 4096; // numbers; our choice

function copied(data: Float32Array): Float32Array {
  const copy = new Float32Array(new SharedArrayBuffer(data.byteLength));
  copy.set(data);
  return copy;
}
