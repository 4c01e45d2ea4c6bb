import { decodeModel, encodeModel } from "../../src/runtime/index.ts";
import type { Draws } from "./draws.ts";

interface Parts {
  graph: {
    node: {
      opType: string;
      input: string[];
      output: string[];
      attribute: { i: unknown; f: number; ints: unknown[] }[];
    }[];
    initializer: { name: string; dims: unknown[]; dataType: number }[];
    input: { type: { tensorType: { shape: { dim: { dimValue: unknown }[] } } } }[];
  };
}

const NUMBERS = [-1, 0, 1, 2, 3, 7, 64, 65_536, 2 ** 31, 2 ** 40];

/** A sound ONNX file with one or two of its parts changed: well-formed, and wrong in what it says. */
export function edited(file: Uint8Array, d: Draws): Uint8Array {
  const model = decodeModel(file, "sound") as Parts;
  for (let n = 1 + d.below(2); n > 0; n--) d.of(EDITS)(model, d);
  return encodeModel(model);
}

const EDITS: readonly ((model: Parts, d: Draws) => void)[] = [
  ({ graph }, d) => {
    d.of(graph.node).opType = d.of(graph.node).opType;
  },
  ({ graph }, d) => {
    const { input } = d.of(graph.node);
    input[d.below(input.length)] = d.of([...d.of(graph.node).output, d.of(graph.initializer).name, "images", ""]);
  },
  ({ graph }, d) => {
    graph.node.splice(d.below(graph.node.length), 1);
  },
  ({ graph }, d) => {
    const attribute = d.of(graph.node.flatMap((node) => node.attribute));
    if (!attribute) return;
    attribute.i = d.of(NUMBERS);
    attribute.f = d.of([0, -1, 1e30, Number.NaN]);
    if (attribute.ints.length > 0) attribute.ints[d.below(attribute.ints.length)] = d.of(NUMBERS);
  },
  ({ graph }, d) => {
    const { dims } = d.of(graph.initializer);
    if (dims.length > 0) dims[d.below(dims.length)] = d.of(NUMBERS);
  },
  ({ graph }, d) => {
    d.of(graph.initializer).dims.reverse();
  },
  ({ graph }, d) => {
    const { dim } = graph.input[0]!.type.tensorType.shape;
    dim[d.below(dim.length)]!.dimValue = d.of(NUMBERS);
  },
  ({ graph }, d) => {
    d.of(graph.initializer).dataType = d.below(17);
  },
];
