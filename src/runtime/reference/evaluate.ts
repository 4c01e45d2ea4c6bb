import { describe, type Node, type OpName, topological } from "../../graph/index.ts";
import { float64, numbers, sameShape, type Tensors } from "../../tensor/index.ts";
import { fail } from "../../util/index.ts";
import { KERNELS, type Values } from "./kernels.ts";

/**
 * Computes outputs in float64, one short loop an op: slow, and the definition of what the fast path must give.
 *
 * feeds: a tensor for each input node by name, of its shape. Result: outputs by name, float64 (ints and bools as whole
 * numbers). Throws FedleakError when a feed is missing or has another shape.
 */
export function evaluate(outputs: Readonly<Record<string, Node>>, feeds: Tensors = {}): Tensors<"float64"> {
  const nodes = topological(Object.values(outputs));
  const values = new Map<Node, Values>();
  const users = new Map<Node, number>();
  for (const x of nodes.flatMap((node) => node.inputs)) users.set(x, (users.get(x) ?? 0) + 1);
  const kept = new Set(Object.values(outputs));
  for (const node of nodes) {
    values.set(node, feedOf(node, feeds) ?? compute(node, values));
    for (const x of node.inputs) {
      users.set(x, users.get(x)! - 1);
      if (users.get(x) === 0 && !kept.has(x)) values.delete(x);
    }
  }
  return Object.fromEntries(
    Object.entries(outputs).map(([name, node]) => [name, float64(node.shape, values.get(node)!)]),
  );
}

function compute(node: Node, values: ReadonlyMap<Node, Values>): Values {
  const kernel = KERNELS[node.op.name as OpName] as (node: Node, ...inputs: Values[]) => Values;
  return kernel(node, ...node.inputs.map((x) => values.get(x)!));
}

function feedOf(node: Node, feeds: Tensors): Values | undefined {
  const feed = node.op.name === "input" ? feeds[String(node.attrs.name)] : undefined;
  if (!feed) return undefined;
  if (!sameShape(feed.shape, node.shape)) {
    fail({
      who: "evaluate",
      must: `input "${node.attrs.name}" must be ${describe(node)}`,
      got: `[${feed.shape.join(",")}]`,
      remedy: "Feed a tensor of that shape.",
    });
  }
  return new Float64Array(numbers(feed));
}
