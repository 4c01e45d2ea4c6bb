import { fail } from "../util/index.ts";
import { describe, type Node, needSameShape, topological } from "./node.ts";
import { add, ones, zeros } from "./ops/verbs.ts";

/**
 * The gradient of a scalar by each of `xs`, as new nodes: graph → graph, to any order.
 *
 * y: float []. Result: one node an x, of its shape; zeros where y does not depend on it. Throws when y is no scalar.
 */
export function grad(y: Node, xs: readonly Node[]): Node[] {
  if (y.shape.length !== 0) {
    fail({ who: "grad", must: "y must be a scalar", got: describe(y), remedy: "Sum it first, or use vjp." });
  }
  return vjp([y], [ones([])], xs);
}

/**
 * Vector-Jacobian product Σ_i (∂y_i/∂x)ᵀ·v_i for each x, by reverse mode.
 *
 * ys and their cotangents `vs` have equal shapes pair by pair; result: one node an x, of its shape.
 */
export function vjp(ys: readonly Node[], vs: readonly Node[], xs: readonly Node[]): Node[] {
  ys.forEach((y, i) => {
    needSameShape("vjp", [y, vs[i]!]);
  });
  const onPath = dependsOn(ys, xs);
  const cotangents = new Map<Node, Node>();
  const accumulate = (node: Node, g: Node) => {
    const sofar = cotangents.get(node);
    cotangents.set(node, sofar ? add(sofar, g) : g);
  };
  ys.forEach((y, i) => {
    if (onPath.has(y)) accumulate(y, vs[i]!);
  });
  const targets = new Set(xs);
  for (const node of [...onPath].reverse()) {
    const g = cotangents.get(node);
    if (!g) continue;
    if (!targets.has(node)) cotangents.delete(node);
    node.op.vjp(g, node).forEach((part, i) => {
      const x = node.inputs[i]!;
      if (part && onPath.has(x)) accumulate(x, part);
    });
  }
  return xs.map((x) => cotangents.get(x) ?? zeros(x.shape));
}

/** The nodes under `ys` that are or depend on one of `xs`, inputs before users: the only ones that need a cotangent. */
function dependsOn(ys: readonly Node[], xs: readonly Node[]): Set<Node> {
  const targets = new Set(xs);
  const found = new Set<Node>();
  for (const node of topological(ys)) {
    if (targets.has(node) || node.inputs.some((x) => found.has(x))) found.add(node);
  }
  return found;
}
