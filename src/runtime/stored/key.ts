import { topological } from "../../graph/index.ts";
import type { Tensor } from "../../tensor/index.ts";
import type { Asked } from "../executable.ts";

const FORMAT = 2; // of keys and entries; another one when either changes

/**
 * The key of a program, and the graph's fixed tensors in the order of the graph.
 *
 * It follows from the structure of the graph, the elements of its fixed tensors, the options, names, types and shapes of what
 * is baked, which of it are weights, and `about`. The elements of baked tensors are no part of it.
 */
export async function keyOf(asked: Asked, about: string): Promise<{ key: string; constants: readonly Tensor[] }> {
  const { text, constants } = structure(asked.outputs);
  const baked = Object.entries(asked.bake).map(([name, { dtype, shape }]) => [name, dtype, shape] as const);
  const weights = asked.weights?.toSorted();
  const parts = [FORMAT, about, asked.device, asked.threads, text, baked.sort(([a], [b]) => (a < b ? -1 : 1)), weights];
  return { key: await keyWith(JSON.stringify(parts), constants), constants };
}

/** A key made of a text and the elements of tensors: SHA-256, 64 hexadecimal digits. */
export async function keyWith(text: string, tensors: readonly Tensor[]): Promise<string> {
  const prints = await Promise.all(tensors.map(({ data }) => sha256(viewOf(data))));
  return hex(await sha256(new TextEncoder().encode(JSON.stringify([text, ...prints.map(hex)]))));
}

export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
}

export function viewOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A line a node, in the graph's own order, and one for the outputs; nodes and fixed tensors go by their numbers. */
function structure(outputs: Asked["outputs"]): { text: string; constants: readonly Tensor[] } {
  const nodes = topological(Object.values(outputs));
  const numbers = new Map(nodes.map((node, i) => [node, i]));
  const constants: Tensor[] = [];
  const plain = (_: string, value: unknown): unknown => {
    if (isTensor(value)) return `tensor ${constants.push(value)} ${value.dtype}[${value.shape}]`;
    if (typeof value !== "number") return value;
    return Object.is(value, -0) || !Number.isFinite(value) ? `number ${Object.is(value, -0) ? "-0" : value}` : value;
  };
  const lines = nodes.map(
    ({ op, inputs, attrs }) => `${op.name} ${inputs.map((x) => numbers.get(x))} ${JSON.stringify(attrs, plain)}`,
  );
  const named = Object.entries(outputs).map(([name, node]) => [name, numbers.get(node)]);
  return { text: [...lines, JSON.stringify(named)].join("\n"), constants };
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && "dtype" in value && "data" in value;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
