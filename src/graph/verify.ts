import { sameShape } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { describe, type Node, topological } from "./node.ts";

/**
 * Checks a finished graph: each node's shape and kind are what its op's rule says, inputs are older than their users,
 * and one name stands for one input. Returns the nodes, inputs before users; throws FedleakError naming the node.
 */
export function verify(outputs: readonly Node[]): Node[] {
  const nodes = topological(outputs);
  const names = new Map<string, Node>();
  for (const node of nodes) {
    const { shape, kind } = node.op.rule(node.inputs, node.attrs);
    if (!sameShape(shape, node.shape) || kind !== node.kind) {
      complain(node, `its rule gives ${describe({ shape, kind })}`, describe(node));
    }
    const younger = node.inputs.find((x) => x.id >= node.id);
    if (younger) complain(node, "inputs must be older than the node", `${younger.op.name} %${younger.id}`);
    if (node.op.name !== "input") continue;
    const name = String(node.attrs.name);
    const twin = names.get(name);
    if (twin) complain(node, `input "${name}" must be one node`, `${describe(twin)} and ${describe(node)}`);
    names.set(name, node);
  }
  return nodes;
}

function complain(node: Node, must: string, got: string): never {
  return fail({ who: `verify: ${node.op.name} %${node.id}`, must, got, remedy: "Check how this node was built." });
}
