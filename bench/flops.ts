import { type Node, topological } from "../src/graph/index.ts";
import { sizeOf } from "../src/tensor/index.ts";

/** Floating-point operations of the contractions of a graph, a multiply and an add counted as two; the rest is left out. */
export function flopsOf(outputs: readonly Node[]): number {
  return topological(outputs).reduce((total, node) => total + 2 * productsOf(node), 0);
}

function productsOf({ op, shape, inputs: [a, b] }: Node): number {
  if (op.name === "matmul") return sizeOf(shape) * a!.shape.at(-1)!;
  if (op.name === "conv") return sizeOf(shape) * sizeOf(b!.shape.slice(1));
  if (op.name === "conv-input") return sizeOf(a!.shape) * sizeOf(b!.shape.slice(1));
  if (op.name === "conv-weight") return sizeOf(b!.shape) * sizeOf(shape.slice(1));
  return 0;
}
