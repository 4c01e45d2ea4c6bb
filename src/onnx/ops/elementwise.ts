/** Operators that act element by element; operands broadcast. */
import {
  abs,
  add,
  div,
  equal,
  exp,
  floor,
  gelu,
  greater,
  greaterEqual,
  log,
  maximum,
  minimum,
  mul,
  type Node,
  neg,
  pow,
  sign,
  sqrt,
  square,
  sub,
  where,
} from "../../graph/index.ts";
import { type Call, complain, given, nodeAt, nodeOf, optional, type Rule, result } from "../call.ts";

const unary =
  (of: (x: Node) => Node): Rule =>
  (call) =>
    result(call, of(nodeAt(call)));

const binary =
  (of: (a: Node, b: Node) => Node): Rule =>
  (call) =>
    result(call, of(nodeAt(call, 0), nodeAt(call, 1)), given(call, 0).type);

const comparison =
  (of: (a: Node, b: Node) => Node): Rule =>
  (call) =>
    result(call, of(nodeAt(call, 0), nodeAt(call, 1)), "bool");

const variadic =
  (of: (a: Node, b: Node) => Node, finish: (total: Node, count: number) => Node = (x) => x): Rule =>
  (call) => {
    const nodes = call.inputs.map((_, i) => nodeAt(call, i));
    if (nodes.length === 0) return complain(call, "it must have an input", "none", "Export the model again.");
    return result(call, finish(nodes.reduce(of), nodes.length));
  };

/** a·b; where that is GELU as it was written before it had an operator (½x · (erf(x/√2) + 1)), GELU with its derivatives. */
function product(a: Node, b: Node): Node {
  const y = mul(a, b);
  const x = y.inputs[1]?.inputs[0]?.op.name === "erf" ? y.inputs[0]!.inputs[0] : undefined;
  const whole = x && gelu(x);
  return whole?.inputs[0] === y ? whole : y;
}

/** Toward zero, as integers are divided and floats become integers. */
export const truncate = (x: Node): Node => mul(sign(x), floor(abs(x)));
const ceil = (x: Node): Node => neg(floor(neg(x)));
const holds = (x: Node): Node => greater(x, 0.5); // of a bool that is 0 or 1

/** To the nearest integer, halves to the even one. */
function round(x: Node): Node {
  const up = floor(add(x, 0.5));
  const odd = sub(up, mul(floor(mul(up, 0.5)), 2));
  return sub(up, where(equal(sub(up, x), 0.5), odd, 0));
}

const MOST_FACTORS = 16; // xⁿ is written as products up to here (our choice), beyond by pow

/** xᵖ for a known p without the logarithm that the general derivative needs: whole and half powers. */
function power(x: Node, p: number): Node {
  if (p < 0) return div(1, power(x, -p));
  if (p === 0.5) return sqrt(x);
  if (p === 2) return square(x);
  if (Number.isInteger(p) && p > 0 && p <= MOST_FACTORS) {
    return p % 2 === 0 ? square(power(x, p / 2)) : p === 1 ? x : mul(power(x, p - 1), x);
  }
  return pow(x, p);
}

const raise: Rule = (call) => {
  const exponent = given(call, 1).elements;
  const p = exponent?.[0];
  const same = exponent !== undefined && p !== undefined && exponent.every((v) => v === p);
  if (!same || p === 0) return binary(pow)(call);
  // The exponent's shape may be the larger one: broadcasting by a product with ones keeps it.
  return result(call, mul(power(nodeAt(call), p), pow(nodeAt(call, 1), 0)));
};

const divide: Rule = (call) => {
  const quotient = div(nodeAt(call, 0), nodeAt(call, 1));
  const whole = given(call, 0).type === "int";
  if (whole && given(call, 1).elements?.includes(0)) {
    return complain(call, "integers must be divided by others than 0", "0", "Use larger images, or export again.");
  }
  return result(call, whole ? truncate(quotient) : quotient);
};

const modulo: Rule = (call) => {
  const [a, b] = [nodeAt(call, 0), nodeAt(call, 1)];
  const quotient = div(a, b);
  return result(call, sub(a, mul(b, call.node.attributes.int("fmod") ? truncate(quotient) : floor(quotient))));
};

const choose: Rule = (call) =>
  result(call, where(holds(nodeAt(call, 0)), nodeAt(call, 1), nodeAt(call, 2)), given(call, 1).type);

const not: Rule = (call) => result(call, sub(1, nodeAt(call)), "bool");
const both = (a: Node, b: Node) => mul(a, b);
const either = (a: Node, b: Node) => maximum(a, b);
const differ = (a: Node, b: Node) => abs(sub(a, b));

const FLOATS = new Set([1, 10, 11, 16]); // TensorProto.DataType: FLOAT, FLOAT16, DOUBLE, BFLOAT16
const BOOL = 9;

const convert: Rule = (call) => {
  const to = call.node.attributes.int("to") ?? 1;
  const value = given(call, 0);
  const type = FLOATS.has(to) ? "float" : to === BOOL ? "bool" : "int";
  if (to < 1 || to > 16 || to === 8) {
    return complain(call, "it must cast to a number", `type ${to}`, "Export the model without strings.");
  }
  return convertTo(call, value.type === type ? undefined : type);
};

function convertTo(call: Call, type: "float" | "int" | "bool" | undefined) {
  const value = given(call, 0);
  if (!type || !value.node) return { ...value, type: type ?? value.type };
  const x = nodeOf(call, value);
  if (type === "bool") return result(call, sub(1, asNumber(equal(x, 0))), "bool");
  return result(call, type === "int" && value.type === "float" ? truncate(x) : x, type);
}

const asNumber = (bool: Node): Node => where(bool, 1, 0);

export const ELEMENTWISE: Readonly<Record<string, Rule>> = {
  Identity: (call) => given(call, 0),
  Dropout: (call) => [given(call, 0), undefined],
  Add: binary(add),
  Sub: binary(sub),
  Mul: binary(product),
  Div: divide,
  Pow: raise,
  Mod: modulo,
  Sqrt: unary(sqrt),
  Exp: unary(exp),
  Log: unary(log),
  Neg: unary(neg),
  Abs: unary(abs),
  Sign: unary(sign),
  Floor: unary(floor),
  Ceil: unary(ceil),
  Round: unary(round),
  Reciprocal: unary((x) => div(1, x)),
  Min: variadic(minimum),
  Max: variadic(maximum),
  Sum: variadic(add),
  Mean: variadic(add, (total, count) => div(total, count)),
  Equal: comparison(equal),
  Greater: comparison(greater),
  GreaterOrEqual: comparison(greaterEqual),
  Less: comparison((a, b) => greater(b, a)),
  LessOrEqual: comparison((a, b) => greaterEqual(b, a)),
  Not: not,
  And: comparison(both),
  Or: comparison(either),
  Xor: comparison(differ),
  Where: choose,
  Cast: convert,
  CastLike: (call) => convertTo(call, optional(call, 1)?.type),
};
