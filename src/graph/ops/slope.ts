import { apply, type Node, needKind, needSameShape, type Op } from "../node.ts";
import { mul } from "./elementwise.ts";

/** y, an elementwise function of x whose derivative is given: d = g·slope for x, nothing by the way through y or the slope. */
export const withSlopeOp: Op<"with-slope", Record<never, never>> = {
  name: "with-slope",
  rule: (inputs) => {
    needKind("with-slope", "float", inputs);
    return { shape: needSameShape("with-slope", inputs), kind: "float" };
  },
  vjp: (g, { inputs: [, , slope] }) => [undefined, mul(g, slope!), undefined],
};

/**
 * `y` as a function of `x` alone, element by element, with dy/dx = `slope`: where that is known in a form of fewer passes than
 * the derivative of the ops that y is made of. Higher derivatives are the slope's. Equal shapes.
 */
export function withSlope(y: Node, x: Node, slope: Node): Node {
  return apply(withSlopeOp, [y, x, slope], {});
}
