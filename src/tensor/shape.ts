import { fail } from "../util/index.ts";

/** Extents per axis, outermost first; [] is a scalar. */
export type Shape = readonly number[];

/** Number of elements: the product of the extents. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Whether two shapes have the same rank and extents. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** `[2,3,32,32]`, as error messages print shapes. */
export function shapeText(shape: Shape): string {
  return `[${shape.join(",")}]`;
}

/** Elements between neighbours along each axis, row-major: [2,3,4] → [12,4,1]. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/**
 * The common shape two operands broadcast to (NumPy's rule: align at the last axis; extents are equal or one is 1).
 *
 * Throws FedleakError, naming `who`, when they do not broadcast.
 */
export function broadcastShapes(who: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const m = a[axis - rank + a.length] ?? 1; // axes missing on the left count as extent 1
    const n = b[axis - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      fail({
        who,
        must: "shapes must broadcast (equal extents, or 1)",
        got: `${shapeText(a)} and ${shapeText(b)}`,
        remedy: "Reshape one of them.",
      });
    }
    return m === 1 ? n : m;
  });
}

/** Axes in ascending order, negative ones counted from the end; throws when one is out of range or doubled. */
export function normaliseAxes(who: string, axes: readonly number[], rank: number): number[] {
  const out = axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort((p, q) => p - q);
  if (out.some((axis, i) => !Number.isInteger(axis) || axis < 0 || axis >= rank || axis === out[i - 1])) {
    fail({
      who,
      must: `axes must be distinct and within ±${rank}`,
      got: `[${axes.join(",")}]`,
      remedy: "Check the rank of the input.",
    });
  }
  return out;
}
