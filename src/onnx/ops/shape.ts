/** Operators that give their input another shape, and those that compute shapes. */
import { broadcastTo, type Node, reshape, transpose } from "../../graph/index.ts";
import { broadcastShapes, type Shape, sameShape, shapeText, sizeOf } from "../../tensor/index.ts";
import {
  axisOf,
  type Call,
  complain,
  given,
  listAt,
  nodeAt,
  nodeOf,
  numberAt,
  numbersAt,
  type Rule,
  result,
} from "../call.ts";
import { fixedValue, known, knownInts, type Value } from "../value.ts";

/** The same elements in another shape; an empty value has no node and only changes its shape. */
function reshaped(call: Call, value: Value, shape: Shape): Value {
  if (sizeOf(shape) !== sizeOf(value.shape)) {
    return complain(
      call,
      `${shapeText(shape)} must hold the elements of its input`,
      shapeText(value.shape),
      call.batch.exported === undefined
        ? "Use the image size that it was exported for."
        : `It was exported for batches of ${call.batch.exported}: export it with a dynamic batch axis.`,
    );
  }
  const { type, node, elements } = value;
  return { type, shape, elements, node: node && reshape(node, shape) };
}

const reshapeRule: Rule = (call) => {
  const value = given(call, 0);
  const wanted = numbersAt(call, 1) ?? [];
  const keepZero = call.node.attributes.int("allowzero") === 1;
  const asked = wanted.map((n, axis) => (n === 0 && !keepZero ? (value.shape[axis] ?? 0) : n));
  return reshaped(call, value, openExtent(call, forThisBatch(call, asked, value.shape), sizeOf(value.shape)));
};

/** The −1 worked out. */
function openExtent(call: Call, asked: Shape, size: number): Shape {
  const rest = asked.reduce((product, n) => (n === -1 ? product : product * n), 1);
  const open = asked.filter((n) => n === -1).length;
  if (open > 1 || asked.some((n) => n < -1) || (open === 1 && (rest === 0 || size % rest !== 0))) {
    return complain(call, `${size} elements must fit its shape`, shapeText(asked), "Use the image size of the export.");
  }
  return asked.map((n) => (n === -1 ? size / rest : n));
}

/**
 * A shape that was written into the file for the batch of the export, made one for this batch.
 *
 * Only where it does not fit as it is, begins with the exported batch, and fits with the new one.
 */
function forThisBatch(call: Call, asked: Shape, from: Shape): Shape {
  const { size, exported } = call.batch;
  const fits = (shape: Shape) => {
    const rest = shape.reduce((product, n) => (n === -1 ? product : product * n), 1);
    return shape.includes(-1) ? sizeOf(from) % rest === 0 : sizeOf(from) === rest;
  };
  if (exported === undefined || exported === size || asked[0] !== exported || from[0] !== size) return asked;
  const moved = [size, ...asked.slice(1)];
  return fits(moved) && (asked.includes(-1) || !fits(asked)) ? moved : asked;
}

const flatten: Rule = (call) => {
  const value = given(call, 0);
  const axis = call.node.attributes.int("axis") ?? 1;
  const at = axis === value.shape.length ? axis : axisOf(call, axis, value.shape.length);
  return reshaped(call, value, [sizeOf(value.shape.slice(0, at)), sizeOf(value.shape.slice(at))]);
};

const squeeze: Rule = (call) => {
  const value = given(call, 0);
  const { shape } = value;
  const axes = listAt(call, "axes", 1)?.map((axis) => axisOf(call, axis, shape.length));
  if (axes?.some((axis) => shape[axis] !== 1)) {
    return complain(call, "the axes it removes must have extent 1", `${shapeText(shape)}`, "Export the model again.");
  }
  return reshaped(
    call,
    value,
    shape.filter((n, axis) => (axes ? !axes.includes(axis) : n !== 1)),
  );
};

const unsqueeze: Rule = (call) => {
  const value = given(call, 0);
  const added = listAt(call, "axes", 1) ?? [];
  const rank = value.shape.length + added.length;
  const axes = new Set(added.map((axis) => axisOf(call, axis, rank)));
  if (axes.size !== added.length) return complain(call, "its axes must differ", `${added}`, "Export the model again.");
  const rest = [...value.shape];
  return reshaped(
    call,
    value,
    Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : rest.shift()!)),
  );
};

const transposeRule: Rule = (call) => {
  const x = nodeAt(call);
  return result(call, transpose(x, call.node.attributes.ints("perm") ?? [...x.shape.keys()].reverse()));
};

const shapeOf: Rule = (call) => {
  const { shape } = given(call, 0);
  const { attributes } = call.node;
  return knownInts(shape.slice(attributes.int("start") ?? 0, attributes.int("end") ?? shape.length));
};

const MOST_LISTED = 1 << 16; // elements of a Range (our choice): index tables are smaller

const range: Rule = (call) => {
  const [start = 0, limit = 0, delta = 1] = [0, 1, 2].map((i) => numberAt(call, i));
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (!(count <= MOST_LISTED)) {
    return complain(call, `it must list at most ${MOST_LISTED} numbers`, `${count}`, "Export the table as a tensor.");
  }
  const values = Float64Array.from({ length: count }, (_, i) => start + i * delta);
  return known(given(call, 0).type, [count], values);
};

const constantOfShape: Rule = (call) => {
  const shape = numbersAt(call, 0) ?? [];
  const tensor = call.node.attributes.tensor("value");
  const value: Value = tensor ? fixedValue(tensor) : known("float", [1], Float64Array.of(0));
  checkShape(call, shape);
  if (sizeOf(shape) === 0) return known(value.type, shape, new Float64Array(0));
  const one = reshape(nodeOf(call, value), []);
  return result(call, broadcastTo(one, shape), value.type);
};

const expand: Rule = (call) => {
  const value = given(call, 0);
  const asked = forThisBatchToo(call, numbersAt(call, 1) ?? [], value.shape);
  checkShape(call, asked);
  const shape = broadcastShapes(call.who, value.shape, asked);
  return value.node && !sameShape(shape, value.shape) ? result(call, broadcastTo(value.node, shape)) : value;
};

/** A class token that was expanded to the exported batch is expanded to this one. */
function forThisBatchToo(call: Call, asked: Shape, from: Shape): Shape {
  const { size, exported } = call.batch;
  const begins = exported !== undefined && asked[0] === exported && exported !== size && asked.length >= from.length;
  return begins && (asked.length > from.length || from[0] === 1 || from[0] === size)
    ? [size, ...asked.slice(1)]
    : asked;
}

const tile: Rule = (call) => {
  const x = nodeAt(call);
  const repeats = numbersAt(call, 1) ?? [];
  if (repeats.length !== x.shape.length) {
    return complain(call, "it must have one repeat an axis", shapeText(repeats), "Export the model again.");
  }
  checkShape(call, repeats);
  return result(call, tiled(x, repeats));
};

/** x repeated as a whole along each axis. */
function tiled(x: Node, repeats: Shape): Node {
  const between = x.shape.flatMap((n) => [1, n]);
  const wide = x.shape.flatMap((n, axis) => [repeats[axis]!, n]);
  return reshape(
    broadcastTo(reshape(x, between), wide),
    x.shape.map((n, axis) => n * repeats[axis]!),
  );
}

const MOST_ELEMENTS = 2 ** 31; // of one value (our choice): 8 GiB
const MOST_AXES = 64; // our choice; networks have 6

/** Throws unless a shape can be that of a value. */
export function checkShape(call: Call, shape: Shape): void {
  if (shape.length > MOST_AXES) {
    complain(call, `its result must have at most ${MOST_AXES} axes`, `${shape.length}`, "Export the model again.");
  }
  if (shape.every((n) => Number.isInteger(n) && n >= 0) && sizeOf(shape) <= MOST_ELEMENTS) return;
  complain(call, `its result must have at most ${MOST_ELEMENTS} elements`, shapeText(shape), "Use smaller images.");
}

/** [B,C·b²,H,W] → [B,C,H·b,W·b] */
const depthToSpace: Rule = (call) => {
  const x = nodeAt(call);
  const b = call.node.attributes.int("blocksize") ?? 1;
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const columns = call.node.attributes.text("mode") === "CRD";
  const split = reshape(x, columns ? [n, c / (b * b), b, b, h, w] : [n, b, b, c / (b * b), h, w]);
  const moved = transpose(split, columns ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]);
  return result(call, reshape(moved, [n, c / (b * b), h * b, w * b]));
};

/** [B,C,H·b,W·b] → [B,C·b²,H,W] */
const spaceToDepth: Rule = (call) => {
  const x = nodeAt(call);
  const b = call.node.attributes.int("blocksize") ?? 1;
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const split = reshape(x, [n, c, h / b, b, w / b, b]);
  return result(call, reshape(transpose(split, [0, 3, 5, 1, 2, 4]), [n, c * b * b, h / b, w / b]));
};

const constantRule: Rule = (call) => {
  const { attributes } = call.node;
  const [value, floats, ints] = [
    attributes.tensor("value"),
    attributes.floats("value_floats"),
    attributes.ints("value_ints"),
  ];
  const [float, int] = [attributes.float("value_float"), attributes.int("value_int")];
  if (value) return fixedValue(value);
  if (floats) return known("float", [floats.length], Float64Array.from(floats));
  if (ints) return knownInts(ints);
  if (float !== undefined) return known("float", [], Float64Array.of(float));
  if (int !== undefined) return known("int", [], Float64Array.of(int));
  return complain(
    call,
    "its value must be a tensor or numbers",
    "none or strings",
    "Export the model without strings.",
  );
};

export const SHAPE: Readonly<Record<string, Rule>> = {
  Constant: constantRule,
  Reshape: reshapeRule,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transposeRule,
  Shape: shapeOf,
  Size: (call) => known("int", [], Float64Array.of(sizeOf(given(call, 0).shape))),
  Range: range,
  ConstantOfShape: constantOfShape,
  Expand: expand,
  Tile: tile,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
};
