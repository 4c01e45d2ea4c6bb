import type { Kind, Node } from "../graph/index.ts";
import type { BatchStatistics, Mode } from "../nn/index.ts";
import { shapeText } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import type { FileNode } from "./file.ts";
import { computed, type Value } from "./value.ts";

/** One node of a file that is being built, with the values of its inputs. */
export interface Call {
  /** As errors call it. */
  readonly who: string;
  readonly node: FileNode;
  readonly inputs: readonly (Value | undefined)[];
  readonly opset: number;
  /** How BatchNorm normalises. */
  readonly mode: Mode;
  /** The batch size that is built for, and the one that the file was exported with, where it fixes one. */
  readonly batch: { readonly size: number; readonly exported: number | undefined };
  /** Reports what a BatchNorm saw. */
  readonly noteStatistics: (seen: BatchStatistics) => void;
}

/** What an operator makes of its inputs: its outputs in order; one that no graph here gives is undefined. */
export type Rule = (call: Call) => Value | readonly (Value | undefined)[];

/** Throws FedleakError about this node. */
export function complain(call: Call, must: string, got: string, remedy: string): never {
  return fail({ who: call.who, must, got, remedy });
}

/** Input `i`, if the node has it. */
export function optional(call: Call, i: number): Value | undefined {
  return call.inputs[i];
}

/** Input `i`. */
export function given(call: Call, i: number): Value {
  const value = optional(call, i);
  return value ?? complain(call, `input ${i} must be given`, "nothing", "Export the model again.");
}

/** The elements of input `i` as floats. */
export function nodeAt(call: Call, i = 0): Node {
  return nodeOf(call, given(call, i));
}

/** The elements of a value as floats. */
export function nodeOf(call: Call, value: Value): Node {
  const { node, shape } = value;
  return (
    node ?? complain(call, "its inputs must hold elements", shapeText(shape), "Use larger images, or export again.")
  );
}

/** The numbers of input `i`, which must not depend on the images; undefined when it is not given. */
export function numbersAt(call: Call, i: number): number[] | undefined {
  const value = optional(call, i);
  if (!value) return undefined;
  const { elements } = value;
  return elements
    ? [...elements]
    : complain(
        call,
        `input ${i} must follow from the file and the batch size`,
        "a value that is computed from the images or the weights",
        "Export the model without control by data.",
      );
}

/** The one number of input `i`, likewise. */
export function numberAt(call: Call, i: number): number | undefined {
  const list = numbersAt(call, i);
  if (!list || list.length === 1) return list?.[0];
  return complain(call, `input ${i} must be one number`, `${list.length}`, "Export the model again.");
}

/** A list that is an attribute in older files and input `i` in newer ones. */
export function listAt(call: Call, attribute: string, i: number): readonly number[] | undefined {
  return numbersAt(call, i) ?? call.node.attributes.ints(attribute);
}

/** A result; of the type of the first input unless told. */
export function result(call: Call, node: Node, type: Kind = optional(call, 0)?.type ?? "float"): Value {
  return computed(type, node);
}

/** An axis counted from the front; `span` is the number of axes. */
export function axisOf(call: Call, axis: number, span: number): number {
  if (Number.isInteger(axis) && axis >= -span && axis < span) return axis < 0 ? axis + span : axis;
  return complain(call, `axes must be within ±${span}`, `${axis}`, "Export the model again.");
}

/** Throws unless an attribute has a value that is read. */
export function needText(call: Call, attribute: string, otherwise: string, allowed: readonly string[]): string {
  const value = call.node.attributes.text(attribute) ?? otherwise;
  if (allowed.includes(value)) return value;
  const must = `${attribute} must be ${allowed.join(" or ")}`;
  return complain(call, must, `"${value}"`, `Export the layer with ${attribute} "${allowed[0]}".`);
}
