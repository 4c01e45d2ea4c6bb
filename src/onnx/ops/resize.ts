/** Interpolation: each axis is a fixed linear map, either a choice of entries or a matrix of weights. */
import { broadcastTo, constantOf, matmul, type Node, reshape, transpose } from "../../graph/index.ts";
import { axisOf, type Call, complain, needText, nodeAt, numbersAt, type Rule, result } from "../call.ts";
import { MOST_INDICES, take } from "./select.ts";
import { checkShape } from "./shape.ts";

const MOST_ALONG = 1 << 11; // of an axis that is interpolated by weights (our choice): they are a matrix

const resize: Rule = (call) => {
  const x = nodeAt(call);
  const old = call.node.type === "Upsample";
  const axes = (call.node.attributes.ints("axes") ?? [...x.shape.keys()]).map((a) => axisOf(call, a, x.shape.length));
  const scales = nonEmpty(numbersAt(call, old ? 1 : 2));
  const sizes = old ? undefined : nonEmpty(numbersAt(call, 3));
  const asked = sizes ?? scales;
  if (!asked || asked.length !== axes.length || asked.some((n) => !(n > 0))) {
    return complain(call, "it must have a scale or size for each axis", `${asked ?? "none"}`, "Export it with sizes.");
  }
  needText(call, "keep_aspect_ratio_policy", "stretch", ["stretch"]);
  if (call.node.attributes.int("antialias")) {
    return complain(call, "antialias must be 0", "1", "Export it without antialias.");
  }
  return result(
    call,
    axes.reduce((y, axis, i) => {
      const from = x.shape[axis]!;
      const to = sizes ? batchless(call, axis, sizes[i]!, from) : Math.floor(from * scales![i]!);
      const scale = sizes ? to / from : scales![i]!;
      checkShape(
        call,
        y.shape.map((n, a) => (a === axis ? to : n)),
      );
      if (to < 1) return complain(call, "no axis may vanish", `${to}`, "Use larger images.");
      return scale === 1 ? y : along(call, y, axis, { from, to, scale });
    }, x),
  );
};

/** The first axis is the batch: a size that was written for the exported one is that of this one. */
const batchless = (call: Call, axis: number, size: number, from: number): number =>
  axis === 0 && size === call.batch.exported ? from : size;

const nonEmpty = (list: number[] | undefined) => (list && list.length > 0 ? list : undefined);

interface Span {
  readonly from: number;
  readonly to: number;
  /** As the node gives it, which may not be to/from exactly. */
  readonly scale: number;
}

function along(call: Call, x: Node, axis: number, span: Span): Node {
  const old = call.node.type === "Upsample";
  const mode = needText(call, "mode", "nearest", ["nearest", "linear", "cubic"]);
  const position = positionOf(call, old ? "asymmetric" : "half_pixel", span);
  const { from, to } = span;
  if (mode === "nearest" && to > MOST_INDICES) {
    return complain(call, `axes must have at most ${MOST_INDICES} entries`, `${to}`, "Use smaller images.");
  }
  const inside = (at: number) => Math.min(from - 1, Math.max(0, at));
  if (mode === "nearest") {
    // In float32, as runtimes compute it: 4/1.6 is 2.5 there, and halves decide.
    const nearest = old ? "floor" : needText(call, "nearest_mode", "round_prefer_floor", Object.keys(ROUNDINGS));
    return picked(
      x,
      axis,
      Array.from({ length: to }, (_, i) => inside(ROUNDINGS[nearest]!(Math.fround(position(i))))),
    );
  }
  if (Math.max(from, to) > MOST_ALONG) {
    return complain(call, `interpolated axes must have at most ${MOST_ALONG} entries`, `${to}`, "Use mode nearest.");
  }
  const taps = mode === "linear" ? linearTaps : cubicTaps(call.node.attributes.float("cubic_coeff_a") ?? -0.75); // the standard's default
  const drop = call.node.attributes.int("exclude_outside") === 1;
  const weights = new Float64Array(from * to);
  for (let i = 0; i < to; i++) {
    const used = taps(position(i)).filter(({ at }) => !drop || at === inside(at));
    const total = drop ? used.reduce((sum, { weight }) => sum + weight, 0) : 1;
    for (const { at, weight } of used) weights[inside(at) * to + i]! += weight / total;
  }
  return timesMatrix(x, axis, constantOf([from, to], weights));
}

/** Entries of an axis; each repeated equally often, as upsampling does, it is a broadcast. */
function picked(x: Node, axis: number, indices: readonly number[]): Node {
  const from = x.shape[axis]!;
  const times = indices.length / from;
  if (!indices.every((at, i) => at === Math.floor(i / times)) || !Number.isInteger(times))
    return take(x, axis, indices);
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const wide = broadcastTo(reshape(x, [...before, from, 1, ...after]), [...before, from, times, ...after]);
  return reshape(wide, [...before, indices.length, ...after]);
}

/** x with its axis multiplied by a matrix [from,to]. */
function timesMatrix(x: Node, axis: number, matrix: Node): Node {
  const order = [...[...x.shape.keys()].filter((i) => i !== axis), axis];
  const moved = transpose(x, order);
  const y = matmul(reshape(moved, [-1, matrix.shape[0]!]), matrix);
  const back = [...x.shape.keys()].map((i) => order.indexOf(i));
  return transpose(reshape(y, [...moved.shape.slice(0, -1), matrix.shape[1]!]), back);
}

const ROUNDINGS: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Where an entry of the result lies in the input, by the standard's coordinate_transformation_mode. */
function positionOf(call: Call, otherwise: string, { from, to, scale }: Span): (i: number) => number {
  const places: Readonly<Record<string, (i: number) => number>> = {
    half_pixel: (i) => (i + 0.5) / scale - 0.5,
    half_pixel_symmetric: (i) => (from / 2) * (1 - to / (from * scale)) + (i + 0.5) / scale - 0.5,
    pytorch_half_pixel: (i) => (to > 1 ? (i + 0.5) / scale - 0.5 : 0),
    align_corners: (i) => (to > 1 ? (i * (from - 1)) / (to - 1) : 0),
    asymmetric: (i) => i / scale,
  };
  return places[needText(call, "coordinate_transformation_mode", otherwise, Object.keys(places))]!;
}

interface Tap {
  readonly at: number;
  readonly weight: number;
}

function linearTaps(x: number): Tap[] {
  const at = Math.floor(x);
  return [
    { at, weight: 1 - (x - at) },
    { at: at + 1, weight: x - at },
  ];
}

/** Keys' cubic kernel with parameter a. */
function cubicTaps(a: number): (x: number) => Tap[] {
  const kernel = (t: number) => {
    const d = Math.abs(t);
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((d - 5) * d + 8) * d * a - 4 * a : 0;
  };
  return (x) => [-1, 0, 1, 2].map((k) => ({ at: Math.floor(x) + k, weight: kernel(x - Math.floor(x) - k) }));
}

export const RESIZE: Readonly<Record<string, Rule>> = { Resize: resize, Upsample: resize };
