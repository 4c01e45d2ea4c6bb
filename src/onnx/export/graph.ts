import type { Node } from "../../graph/index.ts";
import type { Tensors } from "../../tensor/index.ts";
import type { Batches } from "./extents.ts";
import { type Form, formOf } from "./forms.ts";
import { PLAIN, type Writer } from "./plain.ts";
import { sheetOf } from "./sheet.ts";

/** A graph of one input and one output, and the tensors that its other inputs stand for. */
export interface GraphFile {
  /** As errors call it. */
  readonly who: string;
  readonly input: Node;
  readonly output: Node;
  readonly outputName: string;
  readonly tensors: Tensors;
  readonly batches: Batches;
  readonly opset: number;
  /** The batch size that the file declares; undefined: any. */
  readonly batch: number | undefined;
}

/** The bytes of an ONNX file with a graph. Throws FedleakError where an op has no form that means the same. */
export function writeGraph({ who, input, output, outputName, tensors, batches, opset, batch }: GraphFile): Uint8Array {
  const declared = (node: Node) =>
    batches.of(node).map((n) => (typeof n === "number" || batch === undefined ? n : n.times * batch));
  const sheet = sheetOf({
    opset,
    tensors,
    input: { name: String(input.attrs.name), extents: declared(input) },
    output: { name: outputName, extents: declared(output) },
  });
  const names = new Map<Node, string>();
  const value = (node: Node): string => {
    const name = names.get(node) ?? write(node);
    names.set(node, name);
    return name;
  };
  const writer: Writer = {
    ...sheet,
    who,
    opset,
    batches,
    value,
    operand: (x) => (typeof x === "number" ? sheet.scalar(x) : value(x)),
  };
  const write = (node: Node): string => {
    if (node.op.name === "input") return String(node.attrs.name);
    if (node.op.name === "scalar") return sheet.scalar(node.attrs.value as number);
    const form = formOf(node, opset);
    if (form) {
      const inputs = form.inputs.map((x) => slot(x, writer));
      return sheet.op(form.type, inputs, form.attributes);
    }
    const plain = PLAIN[node.op.name as keyof typeof PLAIN] as (node: Node, w: Writer) => string;
    return plain(node, writer);
  };
  return sheet.finish(value(output), outputName);
}

function slot(x: Form["inputs"][number], w: Writer): string {
  if (typeof x === "number") return w.scalar(x);
  return "op" in x ? w.value(x) : w.ints(x);
}
