import type { Node } from "../graph/index.ts";
import type { FileNode } from "./file.ts";
import { NONLINEAR } from "./ops/index.ts";
import type { Value } from "./value.ts";

/**
 * The outputs of the nonlinearities, in the order of the network.
 *
 * x·σ(x) and ½x(1 + erf(x/√2)) are written as several operators: their last product is the activation.
 */
export function activationNames(nodes: readonly FileNode[]): string[] {
  const users = new Map<string, FileNode[]>();
  for (const node of nodes) {
    for (const name of node.inputs) {
      const others = users.get(name);
      if (others) others.push(node);
      else users.set(name, [node]);
    }
  }
  return nodes.filter(({ type }) => NONLINEAR.has(type)).map((node) => lastOf(node, users));
}

const AFTER_ERF = new Set(["Add", "Mul"]);
const FEW = 8; // operators after an erf that are looked at; GELU has three

function lastOf(node: FileNode, users: ReadonlyMap<string, readonly FileNode[]>): string {
  const own = node.outputs[0]!;
  const next = (name: string) => (users.get(name)?.length === 1 ? users.get(name)![0] : undefined);
  if (node.type === "Sigmoid" || node.type === "HardSigmoid") {
    const gate = next(own);
    return gate?.type === "Mul" && gate.inputs.includes(node.inputs[0]!) ? gate.outputs[0]! : own;
  }
  if (node.type !== "Erf") return own;
  let at = own;
  for (let [user, steps] = [next(at), 0]; user && AFTER_ERF.has(user.type) && steps < FEW; user = next(at), steps++) {
    at = user.outputs[0]!;
    if (user.type === "Mul" && next(at)?.type !== "Mul") break;
  }
  return at;
}

/** The nodes of values that hold elements. */
export function nodesOf(names: readonly string[], values: ReadonlyMap<string, Value>): Node[] {
  return names.flatMap((name) => values.get(name)?.node ?? []);
}
