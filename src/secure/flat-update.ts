import { float32, sizeOf, type Tensors } from "../tensor/index.ts";
import { fail } from "../util/index.ts";

/** All numbers of an update in one row, [d]: its tensors by name in the order given. Throws FedleakError where one does not fit. */
export function flatUpdate(update: Tensors<"float32">, like: Tensors<"float32">, who: string): Float32Array {
  const names = Object.keys(like);
  const extra = Object.keys(update).find((name) => !Object.hasOwn(like, name));
  const wrong = names.find((name) => update[name]?.shape.join() !== like[name]!.shape.join()) ?? extra;
  if (wrong !== undefined) {
    fail({
      who,
      must: `tensor "${wrong}" must have the same shape in all updates (${like[wrong]?.shape.join("×") ?? "missing in the first"})`,
      got: update[wrong]?.shape.join("×") ?? "none",
      remedy: "Add updates of one model only.",
    });
  }
  const flat = new Float32Array(names.reduce((sum, name) => sum + sizeOf(like[name]!.shape), 0));
  let at = 0;
  for (const name of names) {
    flat.set(update[name]!.data, at);
    at += update[name]!.data.length;
  }
  return flat;
}

/** The tensors of an update again, from all of its numbers in one row. */
export function unflattened(flat: ArrayLike<number>, like: Tensors<"float32">): Tensors<"float32"> {
  let at = 0;
  return Object.fromEntries(
    Object.entries(like).map(([name, { shape }]) => {
      const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => flat[at + i]!);
      at += data.length;
      return [name, float32(shape, data)];
    }),
  );
}
