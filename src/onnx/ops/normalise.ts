/** Normalisations: by the batch, by layers, by groups of channels. */
import {
  add,
  batchNorm,
  broadcastTo,
  conv,
  div,
  exp,
  log,
  mean,
  mul,
  type Node,
  pad,
  reshape,
  scalar,
  sqrt,
  square,
  sub,
  variance,
} from "../../graph/index.ts";
import { type Shape, sizeOf } from "../../tensor/index.ts";
import { axisOf, type Call, complain, nodeAt, nodeOf, optional, type Rule, result } from "../call.ts";

const EPSILON = 1e-5; // the standard's default
const keep = { keepDims: true };

/**
 * Batch normalisation: x [B,C,…], scale, bias, mean and variance [C]. By the batch in train mode, whatever the file says,
 * else by the running statistics.
 */
const batchNormalisation: Rule = (call) => {
  const x = nodeAt(call);
  const [gamma, beta, runningMean, runningVariance] = [1, 2, 3, 4].map((i) => nodeAt(call, i)) as [
    Node,
    Node,
    Node,
    Node,
  ];
  const epsilon = call.node.attributes.float("epsilon") ?? EPSILON;
  const [b, c] = [x.shape[0]!, x.shape[1] ?? 1];
  const image = x.shape.length === 4 ? x : reshape(x, [b, c, sizeOf(x.shape.slice(2)), 1]);
  if (call.mode === "eval") {
    const y = batchNorm(image, gamma, beta, { mean: runningMean, variance: runningVariance }, epsilon);
    return [result(call, reshape(y, x.shape)), undefined, undefined];
  }
  const axes = [0, 2, 3];
  const count = sizeOf(image.shape) / c;
  if (count < 2) {
    return complain(
      call,
      "train mode needs at least 2 values a channel",
      `${count}`,
      "Use a larger batch or eval mode.",
    );
  }
  const seen = { mean: mean(image, axes, keep), variance: variance(image, axes, keep) };
  call.noteStatistics({ mean: reshape(seen.mean, [c]), variance: reshape(seen.variance, [c]), count });
  return [result(call, reshape(batchNorm(image, gamma, beta, "batch", epsilon), x.shape)), undefined, undefined];
};

/** (x − mean)/√(variance + ε) over `axes`. */
function standardised(x: Node, axes: readonly number[], epsilon: number): Node {
  const centred = sub(x, mean(x, axes, keep));
  return div(centred, sqrt(add(mean(square(centred), axes, keep), epsilon)));
}

/** scale·x + bias, both given for axis 1. */
function perChannelAffine(call: Call, x: Node): Node {
  const shaped = (i: number) => reshape(nodeAt(call, i), [1, -1, ...x.shape.slice(2).map(() => 1)]);
  return add(mul(x, shaped(1)), shaped(2));
}

const instanceNormalisation: Rule = (call) => {
  const x = nodeAt(call);
  const axes = [...x.shape.keys()].slice(2);
  return result(call, perChannelAffine(call, standardised(x, axes, call.node.attributes.float("epsilon") ?? EPSILON)));
};

const layerNormalisation: Rule = (call) => {
  const x = nodeAt(call);
  const first = axisOf(call, call.node.attributes.int("axis") ?? -1, x.shape.length);
  const axes = [...x.shape.keys()].slice(first);
  const y = mul(standardised(x, axes, call.node.attributes.float("epsilon") ?? EPSILON), nodeAt(call, 1));
  const bias = optional(call, 2);
  return [result(call, bias ? add(y, nodeOf(call, bias)) : y), undefined, undefined];
};

const groupNormalisation: Rule = (call) => {
  const x = nodeAt(call);
  const groups = call.node.attributes.int("num_groups") ?? 0;
  const [b, c] = [x.shape[0]!, x.shape[1]!];
  if (!(groups >= 1) || c % groups !== 0) {
    return complain(call, `num_groups must divide its ${c} channels`, `${groups}`, "Export the model again.");
  }
  const rows = reshape(x, [b, groups, sizeOf(x.shape) / (b * groups)]);
  const y = reshape(standardised(rows, [2], call.node.attributes.float("epsilon") ?? EPSILON), x.shape);
  if (call.opset >= 21) return result(call, perChannelAffine(call, y));
  const perGroup: Shape = [1, groups, 1, 1]; // before opset 21, scale and bias are given a group
  const grouped = reshape(y, [b, groups, c / groups, sizeOf(x.shape.slice(2))]);
  const shaped = (i: number) => reshape(nodeAt(call, i), perGroup);
  return result(call, reshape(add(mul(grouped, shaped(1)), shaped(2)), x.shape));
};

/** (x − mean)/√variance over `axes`. */
const meanVariance: Rule = (call) => {
  const x = nodeAt(call);
  const axes = (call.node.attributes.ints("axes") ?? [0, 2, 3]).map((axis) => axisOf(call, axis, x.shape.length));
  return result(call, standardised(x, axes, 1e-9)); // the standard adds 1e-9 to the deviation
};

/** Local response normalisation: x/(bias + α/size·Σ x² over `size` channels around)^β. */
const localResponse: Rule = (call) => {
  const x = nodeAt(call);
  const { attributes } = call.node;
  const size = attributes.int("size") ?? 1;
  const [alpha, beta, bias] = [
    attributes.float("alpha") ?? 1e-4,
    attributes.float("beta") ?? 0.75,
    attributes.float("bias") ?? 1,
  ];
  const [b, c] = [x.shape[0]!, x.shape[1]!];
  if (!(size >= 1 && size <= 2 * c)) return complain(call, "its size must be ≥ 1", `${size}`, "Export it again.");
  const squares = reshape(square(x), [b, 1, c, sizeOf(x.shape.slice(2))]);
  const low = Math.floor((size - 1) / 2);
  const around = pad(squares, [0, 0, low, 0], [0, 0, size - 1 - low, 0]);
  const sums = reshape(conv(around, broadcastTo(scalar(1), [1, 1, size, 1])), x.shape);
  const power = exp(mul(log(add(mul(sums, alpha / size), bias)), beta));
  return result(call, div(x, power));
};

export const NORMALISE: Readonly<Record<string, Rule>> = {
  BatchNormalization: batchNormalisation,
  InstanceNormalization: instanceNormalisation,
  LayerNormalization: layerNormalisation,
  GroupNormalization: groupNormalisation,
  MeanVarianceNormalization: meanVariance,
  LRN: localResponse,
};
