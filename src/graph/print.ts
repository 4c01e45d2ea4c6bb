import type { Tensor } from "../tensor/index.ts";
import { describe, type Node, topological } from "./node.ts";

/**
 * The graph as text, a line a node, numbered from 0 in order of use:
 * `%2 = conv(%0, %1) {stride 1×1, padding 1×1} float[4,8,32,32]`, then a line that names the outputs.
 */
export function print(outputs: readonly Node[]): string {
  const nodes = topological(outputs);
  const number = new Map(nodes.map((node, i) => [node, i]));
  const refer = (node: Node) => `%${number.get(node)}`;
  const lines = nodes.map((node) => {
    const inputs = node.inputs.length ? `(${node.inputs.map(refer).join(", ")})` : "";
    const attrs = attrsText(node);
    return `${refer(node)} = ${node.op.name}${inputs}${attrs && ` {${attrs}}`} ${describe(node)}`;
  });
  return [...lines, `return ${outputs.map(refer).join(", ")}`].join("\n");
}

function attrsText(node: Node): string {
  return Object.entries(node.attrs)
    .filter(([name]) => !((name === "shape" || name === "kind") && node.op.name !== "unslice"))
    .map(([name, value]) => `${name} ${valueText(value)}`)
    .join(", ");
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.join("×");
  if (typeof value === "object" && value !== null) return (value as Tensor).dtype;
  return String(value);
}
