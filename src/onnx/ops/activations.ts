/** The nonlinearities of networks. */
import {
  abs,
  add,
  div,
  erf,
  exp,
  gelu,
  greater,
  leakyRelu,
  maximum,
  minimum,
  mul,
  type Node,
  neg,
  relu,
  sigmoid,
  softplus,
  square,
  sub,
  tanh,
  where,
} from "../../graph/index.ts";
import { type Call, needText, nodeAt, numberAt, type Rule, result } from "../call.ts";

/** f(x) with the node's float attributes, in the order of `defaults`. */
const unary =
  (of: (x: Node, ...attributes: number[]) => Node, defaults: Readonly<Record<string, number>> = {}): Rule =>
  (call) => {
    const attributes = Object.entries(defaults).map(
      ([name, otherwise]) => call.node.attributes.float(name) ?? otherwise,
    );
    return result(call, of(nodeAt(call), ...attributes));
  };

/** α(eˣ − 1) below 0, else x; the exponential never sees a large x. */
const elu = (x: Node, alpha = 1): Node => where(greater(x, 0), x, mul(sub(exp(minimum(x, 0)), 1), alpha));

const selu = (x: Node, alpha = 1, gamma = 1): Node => mul(elu(x, alpha), gamma);

/** α(e^(x/α) − 1) below 0, else x */
const celu = (x: Node, alpha = 1): Node => mul(elu(div(x, alpha)), alpha);

const leaky = (x: Node, slope = 0.01): Node =>
  slope > 0 && slope < 1 ? leakyRelu(x, slope) : where(greater(x, 0), x, mul(x, slope));

const hardSigmoid = (x: Node, alpha = 0.2, beta = 0.5): Node => minimum(relu(add(mul(x, alpha), beta)), 1);
const hardSwish = (x: Node): Node => mul(x, hardSigmoid(x, 1 / 6, 0.5));
const mish = (x: Node): Node => mul(x, tanh(softplus(x)));
const softsign = (x: Node): Node => div(x, add(abs(x), 1));
const thresholded = (x: Node, alpha = 1): Node => where(greater(x, alpha), x, 0);

/** ½x(1 + tanh(√(2/π)(x + 0.044715x³))) */
const geluByTanh = (x: Node): Node => {
  const inner = mul(add(x, mul(mul(square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return mul(mul(x, 0.5), add(tanh(inner), 1));
};

const geluRule: Rule = (call) => {
  const approximate = needText(call, "approximate", "none", ["none", "tanh"]);
  return result(call, approximate === "tanh" ? geluByTanh(nodeAt(call)) : gelu(nodeAt(call)));
};

/** Limits that are not there, or are infinite, or the largest float, do not limit. */
const clip: Rule = (call) => {
  const [low, high] = limitsOf(call);
  const x = nodeAt(call);
  const raised = low === undefined ? x : low === 0 ? relu(x) : maximum(x, low); // relu lowers to one pass
  return result(call, high === undefined ? raised : minimum(raised, high));
};

const LARGEST = 3.4028234e38; // float32

/** The limits of a Clip: undefined where there is none. */
export function limitsOf(call: Call): readonly [low: number | undefined, high: number | undefined] {
  const limit = (i: number, attribute: string) => {
    const value = numberAt(call, i) ?? call.node.attributes.float(attribute);
    return value === undefined || Math.abs(value) >= LARGEST ? undefined : value;
  };
  return [limit(1, "min"), limit(2, "max")];
}

/** x where x > 0, else slope·x: a slope for each channel, or one. */
const parametric: Rule = (call) => {
  const [x, slope] = [nodeAt(call), nodeAt(call, 1)];
  return result(call, sub(relu(x), mul(slope, relu(neg(x)))));
};

const SELU_ALPHA = 1.6732632423543772; // Klambauer et al. 2017
const SELU_GAMMA = 1.0507009873554805; // Klambauer et al. 2017

export const ACTIVATIONS: Readonly<Record<string, Rule>> = {
  Relu: unary(relu),
  LeakyRelu: unary(leaky, { alpha: 0.01 }),
  PRelu: parametric,
  ThresholdedRelu: unary(thresholded, { alpha: 1 }),
  Clip: clip,
  Sigmoid: unary(sigmoid),
  Tanh: unary(tanh),
  Elu: unary(elu, { alpha: 1 }),
  Celu: unary(celu, { alpha: 1 }),
  Selu: unary(selu, { alpha: SELU_ALPHA, gamma: SELU_GAMMA }),
  Softplus: unary(softplus),
  Softsign: unary(softsign),
  HardSigmoid: unary(hardSigmoid, { alpha: 0.2, beta: 0.5 }),
  HardSwish: unary(hardSwish),
  Mish: unary(mish),
  Gelu: geluRule,
  Erf: unary(erf),
};
