import { broadcastTo, cast, constant, constantOf, type Kind, type Node, reshape, scalar } from "../graph/index.ts";
import { evaluate } from "../runtime/index.ts";
import { numbers, type Shape, sizeOf, type Tensor } from "../tensor/index.ts";

/** What the nodes of a file compute with. */
export interface Value {
  /** What the file takes its elements for. */
  readonly type: Kind;
  readonly shape: Shape;
  /** Its elements, as floats whatever the type: bools are 0 and 1. Undefined where there are none (an extent is 0). */
  readonly node: Node | undefined;
  /** The elements where they follow from the file and the batch size alone, and are few: shapes, axes, limits. */
  readonly elements: Float64Array | undefined;
}

const KNOWN_UP_TO = 1 << 16; // elements (our choice); shapes and index tables are smaller, and larger ones are only used

/** A value whose elements are known now. */
export function known(type: Kind, shape: Shape, elements: Float64Array): Value {
  return { type, shape, elements, node: elements.length === 0 ? undefined : fixedNode(shape, elements) };
}

/** A known list of integers. */
export function knownInts(values: readonly number[]): Value {
  return known("int", [values.length], Float64Array.from(values));
}

/** A tensor of the file that is nobody's parameter. */
export function fixedValue(tensor: Tensor): Value {
  const floating = tensor.dtype === "float32" || tensor.dtype === "float64";
  const type = tensor.dtype === "bool" ? "bool" : floating ? "float" : "int";
  if (sizeOf(tensor.shape) <= KNOWN_UP_TO) return known(type, tensor.shape, new Float64Array(numbers(tensor)));
  return { type, shape: tensor.shape, node: cast(constant(tensor)), elements: undefined };
}

/** A value that is computed. A bool or int node becomes float. */
export function computed(type: Kind, node: Node): Value {
  return { type, shape: node.shape, node: cast(node), elements: undefined };
}

/** The value, with its elements, at most so many, worked out when those of all it comes from are known. */
export function folded(value: Value, from: readonly (Value | undefined)[], most: number): Value {
  const { type, shape, node, elements } = value;
  if (elements || !node || sizeOf(shape) > Math.min(most, KNOWN_UP_TO)) return value;
  if (from.some((x) => x && !x.elements)) return value;
  return known(type, shape, evaluate({ node }).node!.data);
}

/** Equal elements become one scalar, so that the graph's own arithmetic sees them. */
function fixedNode(shape: Shape, elements: Float64Array): Node {
  const first = elements[0]!;
  if (Number.isFinite(first) && elements.every((v) => v === first)) return broadcastTo(scalar(first), shape);
  return shape.length === 0 ? reshape(constantOf([1], elements), []) : constantOf(shape, elements);
}
