import type { Shape } from "../tensor/index.ts";
import type { Node } from "./node.ts";
import { concat } from "./ops/verbs.ts";

/**
 * Pieces, each put into zeros of one shape, whose sum leaves nothing 0: the pieces end to end along one axis, where they meet
 * there without gap or overlap; undefined where they do not. One copy instead of a pass over the whole for each piece.
 *
 * The gradient by a value that was cut into parts (queries, keys and values of one product) is such a sum.
 */
export function joined(pieces: readonly Node[]): Node | undefined {
  const axis = pieces.length > 1 ? cutAxis(pieces[0]!) : undefined;
  if (axis === undefined || pieces.some((piece) => cutAxis(piece) !== axis)) return undefined;
  const startOf = (piece: Node) => (piece.attrs.starts as Shape)[axis]!;
  const ordered = [...pieces].sort((a, b) => startOf(a) - startOf(b));
  let end = 0;
  for (const piece of ordered) {
    if (startOf(piece) !== end) return undefined;
    end += piece.inputs[0]!.shape[axis]!;
  }
  const parts = ordered.map((piece) => piece.inputs[0]!);
  return end === pieces[0]!.shape[axis] ? concat(parts, axis) : undefined;
}

/** The one axis along which an unslice of steps 1 adds zeros; undefined of any other node. */
function cutAxis({ op, attrs, inputs, shape }: Node): number | undefined {
  if (op.name !== "unslice" || (attrs.steps as Shape).some((step) => step !== 1)) return undefined;
  const cut = [...shape.keys()].filter((axis) => shape[axis] !== inputs[0]!.shape[axis]);
  return cut.length === 1 ? cut[0] : undefined;
}
