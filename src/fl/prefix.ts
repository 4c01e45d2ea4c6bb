import type { Tensors } from "../tensor/index.ts";

/** Tensors under `prefix` + their names. */
export function prefixed(prefix: string, tensors: Tensors<"float32">): Tensors<"float32"> {
  return Object.fromEntries(Object.entries(tensors).map(([name, t]) => [prefix + name, t]));
}

/** The tensors whose names begin with `prefix`, without it. */
export function withPrefix(prefix: string, tensors: Tensors<"float32">): Tensors<"float32"> {
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([name, t]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), t]] : [])),
  );
}
