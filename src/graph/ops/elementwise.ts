/**
 * Ops that act element by element. Each record also holds the number → number function that defines it, which folds
 * constants here and drives the reference evaluator.
 */
import erfOf from "@stdlib/math-base-special-erf";
import { broadcastShapes, type Shape } from "../../tensor/index.ts";
import { apply, type Kind, type Node, needKind, needSameShape, type Op } from "../node.ts";
import { scalar } from "./leaf.ts";
import { broadcastOp, broadcastTo, splatOf, zeros } from "./structure.ts";

type None = Record<never, never>;

/** An elementwise op; bools enter and leave `of` as 0 and 1. */
export interface ElementwiseOp<N extends string = string> extends Op<N, None> {
  readonly of: (...values: number[]) => number;
}

// ── One input ────────────────────────────────────────────────────────────────────────────────────────────────────

/** d(−x) = −g */
export const negOp = unary(
  "neg",
  (x) => -x,
  (g) => neg(g),
);
/** d eˣ = g·eˣ */
export const expOp = unary("exp", Math.exp, (g, _, y) => mul(g, y));
/** d ln x = g/x */
export const logOp = unary("log", Math.log, (g, x) => div(g, x));
/** d √x = g/(2√x) */
export const sqrtOp = unary("sqrt", Math.sqrt, (g, _, y) => div(mul(g, 0.5), y));
/** d |x| = g·sign x */
export const absOp = unary("abs", Math.abs, (g, x) => mul(g, sign(x)));
/** −1, 0 or 1; no gradient. */
export const signOp = unary("sign", Math.sign, () => undefined);
/** The largest integer ≤ x; no gradient. */
export const floorOp = unary("floor", Math.floor, () => undefined);
/** σ(x) = 1/(1+e⁻ˣ); dσ = g·σ(1−σ) */
export const sigmoidOp = unary("sigmoid", sigmoidOf, (g, _, y) => mul(g, mul(y, sub(1, y))));
/** d tanh = g·(1−tanh²) */
export const tanhOp = unary("tanh", Math.tanh, (g, _, y) => mul(g, sub(1, mul(y, y))));
/** max(x, 0); d = g where x > 0, else 0 (0 at 0, as PyTorch does) */
export const reluOp = unary(
  "relu",
  (x) => Math.max(x, 0),
  (g, _, y) => mul(g, sign(y)),
);
/** erf(x) = 2/√π ∫₀ˣ e^(−t²) dt; d = g·2/√π·e^(−x²) */
export const erfOp = unary("erf", erfOf, (g, x) => mul(g, mul(2 / Math.sqrt(Math.PI), exp(neg(mul(x, x))))));

// ── Two inputs of one shape ──────────────────────────────────────────────────────────────────────────────────────

/** d(a+b) = g, g */
export const addOp = binary(
  "add",
  (a, b) => a + b,
  (g) => [g, g],
);
/** d(a−b) = g, −g */
export const subOp = binary(
  "sub",
  (a, b) => a - b,
  (g) => [g, neg(g)],
);
/** d(ab) = gb, ga; d(aa) = 2ga */
export const mulOp = binary(
  "mul",
  (a, b) => a * b,
  (g, a, b) => (a === b ? [mul(mul(g, 2), a), undefined] : [mul(g, b), mul(g, a)]),
);
/** d(a/b) = g/b, −g·(a/b)/b */
export const divOp = binary(
  "div",
  (a, b) => a / b,
  (g, _, b, y) => [div(g, b), neg(div(mul(g, y), b))],
);
/** d aᵇ = g·b·aᵇ⁻¹, g·aᵇ·ln a (a > 0 when b needs a gradient) */
export const powOp = binary(
  "pow",
  (a, b) => a ** b,
  (g, a, b, y) => [mul(g, mul(b, pow(a, sub(b, 1)))), mul(g, mul(y, log(a)))],
);
/** d max(a,b): g to the larger one, to `a` where equal */
export const maximumOp = binary("maximum", Math.max, (g, a, b) => route(g, greaterEqual(a, b)));
/** d min(a,b): g to the smaller one, to `a` where equal */
export const minimumOp = binary("minimum", Math.min, (g, a, b) => route(g, greaterEqual(b, a)));
/** a > b; no gradient */
export const greaterOp = binary(
  "greater",
  (a, b) => +(a > b),
  () => [undefined, undefined],
  "bool",
);
/** a ≥ b; no gradient */
export const greaterEqualOp = binary(
  "greater-equal",
  (a, b) => +(a >= b),
  () => [undefined, undefined],
  "bool",
);
/** a = b; no gradient */
export const equalOp = binary(
  "equal",
  (a, b) => +(a === b),
  () => [undefined, undefined],
  "bool",
);

// ── Others ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** a where the condition holds, else b; d = g where it holds, g where it does not */
export const whereOp: ElementwiseOp<"where"> = {
  name: "where",
  of: (c, a, b) => (c! ? a! : b!),
  rule: ([c, a, b]) => {
    needKind("where", "bool", [c!]);
    needKind("where", "float", [a!, b!]);
    return { shape: needSameShape("where", [c!, a!, b!]), kind: "float" };
  },
  vjp: (g, { inputs: [c] }) => [undefined, ...route(g, c!)],
};

/** A bool (1, 0) or int as float; no gradient. */
export const castOp: ElementwiseOp<"cast"> = {
  name: "cast",
  of: (x) => x!,
  rule: ([x]) => ({ shape: x!.shape, kind: "float" }),
  vjp: () => [undefined],
};

// ── Verbs: what model and attack code calls. Operands broadcast; plain numbers are scalars. ──────────────────────

export type Operand = Node | number;

/** −x; −(−x) = x */
export const neg = (x: Node): Node => (x.op === negOp ? x.inputs[0]! : one(negOp, x));
export const exp = (x: Node): Node => one(expOp, x);
export const log = (x: Node): Node => one(logOp, x);
export const sqrt = (x: Node): Node => one(sqrtOp, x);
export const abs = (x: Node): Node => one(absOp, x);
export const sign = (x: Node): Node => one(signOp, x);
export const floor = (x: Node): Node => one(floorOp, x);
export const sigmoid = (x: Node): Node => one(sigmoidOp, x);
export const tanh = (x: Node): Node => one(tanhOp, x);
export const relu = (x: Node): Node => one(reluOp, x);
export const erf = (x: Node): Node => one(erfOp, x);

/** a + b; x + 0 = x, x + x = 2x */
export function add(a: Operand, b: Operand): Node {
  if (a === b) return mul(a, 2);
  if (isSplat(b, 0)) return like(a, b);
  if (isSplat(a, 0)) return like(b, a);
  return two(addOp, a, b);
}

/** a − b; x − 0 = x, 0 − x = −x */
export function sub(a: Operand, b: Operand): Node {
  if (isSplat(b, 0)) return like(a, b);
  if (isSplat(a, 0)) return neg(like(b, a));
  return two(subOp, a, b);
}

/** a·b; x·1 = x, x·0 = 0, x·(−1) = −x */
export function mul(a: Operand, b: Operand): Node {
  if (isSplat(b, 1)) return like(a, b);
  if (isSplat(a, 1)) return like(b, a);
  if (isSplat(b, 0) || isSplat(a, 0)) return zeros(commonShape(a, b));
  if (isSplat(b, -1)) return neg(like(a, b));
  if (isSplat(a, -1)) return neg(like(b, a));
  return two(mulOp, a, b);
}

/** a/b; x/1 = x, x/b = x·(1/b) for a broadcast b */
export function div(a: Operand, b: Operand): Node {
  if (isSplat(b, 1)) return like(a, b);
  const shape = commonShape(a, b);
  const [p, q] = [broadcastTo(node(a), shape), broadcastTo(node(b), shape)];
  return q.op === broadcastOp && p.op !== broadcastOp ? mul(p, div(1, q)) : two(divOp, a, b);
}

/** aᵇ; x¹ = x */
export function pow(a: Operand, b: Operand): Node {
  if (isSplat(b, 1)) return like(a, b);
  return two(powOp, a, b);
}

export const maximum = (a: Operand, b: Operand): Node => two(maximumOp, a, b);
export const minimum = (a: Operand, b: Operand): Node => two(minimumOp, a, b);
export const greater = (a: Operand, b: Operand): Node => two(greaterOp, a, b);
export const greaterEqual = (a: Operand, b: Operand): Node => two(greaterEqualOp, a, b);
export const equal = (a: Operand, b: Operand): Node => two(equalOp, a, b);

/** `a` where `condition` (bool) holds, else `b`. */
export function where(condition: Node, a: Operand, b: Operand): Node {
  const shape = broadcastShapes("where", condition.shape, commonShape(a, b));
  return apply(
    whereOp,
    [condition, node(a), node(b)].map((x) => broadcastTo(x, shape)),
    {},
  );
}

/** A bool or int value as float. */
export const cast = (x: Node): Node => (x.kind === "float" ? x : apply(castOp, [x], {}));

// ── How they are made ────────────────────────────────────────────────────────────────────────────────────────────

function unary<N extends string>(
  name: N,
  of: (x: number) => number,
  vjp: (g: Node, x: Node, y: Node) => Node | undefined,
): ElementwiseOp<N> {
  return {
    name,
    of: of as (...values: number[]) => number,
    rule: ([x]) => {
      needKind(name, "float", [x!]);
      return { shape: x!.shape, kind: "float" };
    },
    vjp: (g, y) => [vjp(g, y.inputs[0]!, y)],
  };
}

function binary<N extends string>(
  name: N,
  of: (a: number, b: number) => number,
  vjp: (g: Node, a: Node, b: Node, y: Node) => readonly [Node | undefined, Node | undefined],
  kind: Kind = "float",
): ElementwiseOp<N> {
  return {
    name,
    of: of as (...values: number[]) => number,
    rule: (inputs) => {
      needKind(name, "float", inputs);
      return { shape: needSameShape(name, inputs), kind };
    },
    vjp: (g, y) => vjp(g, y.inputs[0]!, y.inputs[1]!, y),
  };
}

/** A unary node; of a broadcast value it is the broadcast of the small result, of a constant a constant. */
function one(op: ElementwiseOp, x: Node): Node {
  const value = splatOf(x);
  if (value !== undefined && Number.isFinite(op.of(value))) return broadcastTo(scalar(op.of(value)), x.shape);
  if (x.op === broadcastOp) return broadcastTo(one(op, x.inputs[0]!), x.shape);
  return apply(op, [x], {});
}

/** A binary node over broadcast operands. Work is done at the smallest common shape, and broadcast afterwards. */
function two(op: ElementwiseOp, a: Operand, b: Operand): Node {
  const shape = commonShape(a, b);
  const [p, q] = [broadcastTo(node(a), shape), broadcastTo(node(b), shape)];
  const [u, v] = [splatOf(p), splatOf(q)];
  if (op.rule([p, q], {}).kind === "float" && u !== undefined && v !== undefined && Number.isFinite(op.of(u, v))) {
    return broadcastTo(scalar(op.of(u, v)), shape);
  }
  const [small, tiny] = [narrowest(p), narrowest(q)];
  const inner = broadcastShapes(op.name, small.shape, tiny.shape);
  if (p.op === broadcastOp && q.op === broadcastOp && inner.some((n, axis) => n !== shape[axis])) {
    return broadcastTo(apply(op, [broadcastTo(small, inner), broadcastTo(tiny, inner)], {}), shape);
  }
  return apply(op, [p, q], {});
}

function narrowest(x: Node): Node {
  return x.op === broadcastOp ? x.inputs[0]! : x;
}

function node(x: Operand): Node {
  return typeof x === "number" ? scalar(x) : x;
}

function isSplat(x: Operand, value: number): boolean {
  return typeof x === "number" ? x === value : splatOf(x) === value;
}

/** `x` at the common shape of `x` and `other`. */
function like(x: Operand, other: Operand): Node {
  return broadcastTo(node(x), commonShape(x, other));
}

function commonShape(a: Operand, b: Operand): Shape {
  return broadcastShapes("elementwise", node(a).shape, node(b).shape);
}

/** g split in two by a condition: where it holds, where it does not. */
function route(g: Node, condition: Node): readonly [Node, Node] {
  return [where(condition, g, 0), where(condition, 0, g)];
}

/** 1/(1+e⁻ˣ) without overflow on either side. */
function sigmoidOf(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}
