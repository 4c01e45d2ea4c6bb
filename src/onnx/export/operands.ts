import { type Node, splatOf } from "../../graph/index.ts";

/** A value before its broadcast. */
export function unspread(x: Node): Node {
  return x.op.name === "broadcast" ? x.inputs[0]! : x;
}

/** A value before axes of extent 1 were put in front of it. */
export function unaligned(x: Node): Node {
  const from = x.op.name === "reshape" ? x.inputs[0]! : undefined;
  if (!from || from.shape.length === 0 || from.shape.length > x.shape.length) return x;
  const lead = x.shape.length - from.shape.length;
  const same = x.shape.every((n, axis) => (axis < lead ? n === 1 : n === from.shape[axis - lead]));
  return same ? from : x;
}

/** The one number that all elements of a float value equal. */
export function numberOf(x: Node): number | undefined {
  return x.kind === "float" ? splatOf(x) : undefined;
}

/**
 * The operands of an operator that broadcasts by itself, as narrow as they may be.
 *
 * One of them keeps all axes; where the narrow ones would not span the result, the first one is whole.
 */
export function operandsOf(node: Node): (Node | number)[] {
  const spread = node.inputs.map(unspread);
  const spans = node.shape.every((n, axis) => spread.some(({ shape }) => shape[axis] === n));
  const solid = spread.findIndex((x) => numberOf(x) === undefined && unaligned(x) === x);
  return node.inputs.map((x, i) => {
    if (!spans && i === 0) return x;
    if (i === solid) return spread[i]!;
    if (solid < 0 && spans && i === 0) return spread[i]!;
    return numberOf(x) ?? unaligned(spread[i]!);
  });
}
