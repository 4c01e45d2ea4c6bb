/** Verbs composed of ops: what a network, a loss or an attack is written in. All differentiable to any order. */
import { normaliseAxes } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { describe, type Node, needRank, needSameShape } from "./node.ts";
import {
  abs,
  add,
  broadcastTo,
  type ConvOptions,
  cast,
  constantOf,
  conv,
  convInput,
  div,
  equal,
  erf,
  exp,
  greaterEqual,
  log,
  matmul,
  max,
  maximum,
  mul,
  narrow,
  neg,
  type Pair,
  reshape,
  scalar,
  sigmoid,
  sqrt,
  stopGradient,
  sub,
  sum,
  swapLast,
  transpose,
  where,
  withSlope,
} from "./ops/verbs.ts";

type Keep = { readonly keepDims?: boolean };

/** Mean over `axes` (all when not given); removed unless `keepDims`. */
export function mean(x: Node, axes?: readonly number[], options: Keep = {}): Node {
  const over = normaliseAxes("mean", axes ?? [...x.shape.keys()], x.shape.length);
  return mul(sum(x, over, options), 1 / over.reduce((n, axis) => n * x.shape[axis]!, 1));
}

/** Biased variance over `axes`: mean((x − mean x)²). */
export function variance(x: Node, axes?: readonly number[], options: Keep = {}): Node {
  return mean(square(sub(x, mean(x, axes, { keepDims: true }))), axes, options);
}

/** x² */
export function square(x: Node): Node {
  return mul(x, x);
}

/** Σ aᵢ·bᵢ over all elements: a scalar. Equal shapes. */
export function dot(a: Node, b: Node): Node {
  return sum(mul(a, b));
}

/** ln Σ exp x along `axis`, which keeps extent 1; stable at any magnitude. */
export function logSumExp(x: Node, axis = -1): Node {
  const peak = stopGradient(max(x, [axis], { keepDims: true }));
  return add(log(sum(exp(sub(x, peak)), [axis], { keepDims: true })), peak);
}

/**
 * x − logSumExp(x) along `axis`; where one element is the largest, as (x − peak) − ln(1 + Σ exp(x − peak) over the others).
 *
 * The latter is exact to the last bits where the peak stands far above the others: the tiny loss of a confident prediction,
 * and its gradient, would else be the difference of two numbers near 1. Equal peaks take the plain form: there is no one
 * element whose gradient could be left out.
 */
export function logSoftmax(x: Node, axis = -1): Node {
  const peak = max(x, [axis], { keepDims: true });
  const atPeak = equal(x, peak);
  const below = sub(x, peak);
  const centred = where(atPeak, stopGradient(below), below); // 0 there, NaN for ∞; so its gradient does not cancel either
  const others = sum(where(atPeak, 0, exp(centred)), [axis], { keepDims: true });
  const severalPeaks = greaterEqual(sum(cast(atPeak), [axis], { keepDims: true }), 2);
  const plain = sub(x, logSumExp(x, axis));
  return where(broadcastTo(severalPeaks, x.shape), plain, sub(centred, logOfOneAnd(others)));
}

/** ln(1 + x) for x ≥ 0: what rounding takes from 1 + x is put back. Each difference is kept from being simplified. */
function logOfOneAnd(x: Node): Node {
  const whole = add(x, 1);
  const taken = sub(stopGradient(x), stopGradient(sub(stopGradient(whole), 1)));
  return add(log(whole), stopGradient(div(taken, stopGradient(whole))));
}

/** exp(x)/Σ exp x along `axis`; stable at any magnitude. */
export function softmax(x: Node, axis = -1): Node {
  const e = exp(sub(x, stopGradient(max(x, [axis], { keepDims: true }))));
  return div(e, sum(e, [axis], { keepDims: true }));
}

/**
 * Mean cross-entropy −1/B·Σ_b Σ_n target[b,n]·logSoftmax(logits)[b,n], a scalar.
 *
 * logits [B,N]; target [B,N], rows of probabilities (one-hot for hard labels).
 */
export function crossEntropy(logits: Node, target: Node): Node {
  needRank("crossEntropy", "logits", logits, 2);
  needSameShape("crossEntropy", [logits, target]);
  return mul(dot(target, logSoftmax(logits)), -1 / logits.shape[0]!);
}

/** x·Φ(x) with the exact normal distribution function, Φ(x) = (1 + erf(x/√2))/2. */
export function gelu(x: Node): Node {
  return withSlope(mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1)), x, geluSlope(x));
}

/** GELU′ = Φ(x) + x·φ(x) = ½(1 + erf(t) + x·2φ(x)), t = x/√2, whose derivative is 2φ(x)(1 − t²) = 2φ − (x·2φ)·½x, φ(x) = e^−t²/√(2π). */
function geluSlope(x: Node): Node {
  const t = mul(x, Math.SQRT1_2);
  const square = mul(t, t);
  const density = exp(sub(Math.log(Math.sqrt(2 / Math.PI)), square)); // 2φ, whose factor costs no pass of its own
  const scaled = mul(x, density); // 0 far from 0, where 1 − t² is infinite
  const slope = mul(add(add(erf(t), 1), scaled), 0.5);
  return withSlope(slope, x, sub(density, mul(scaled, mul(x, 0.5))));
}

/** ln(1 + eˣ) = max(x,0) + ln(1 + e^−|x|), finite at any x. */
export function softplus(x: Node): Node {
  return add(maximum(x, 0), log(add(exp(neg(abs(x))), 1)));
}

/** x·σ(x) */
export function silu(x: Node): Node {
  return mul(x, sigmoid(x));
}

/** x where x ≥ 0, else slope·x; 0 < slope < 1. */
export function leakyRelu(x: Node, slope: number): Node {
  return maximum(x, mul(x, slope));
}

/** x [B,D] · weightᵀ [O,D] + bias [O] → [B,O]. */
export function linear(x: Node, weight: Node, bias?: Node): Node {
  const y = matmul(x, swapLast(weight));
  return bias ? add(y, bias) : y;
}

/** Convolution with a bias [O] on every pixel: x [B,I,H,W], weight [O,I/G,Kh,Kw] → [B,O,Ho,Wo]. */
export function conv2d(x: Node, weight: Node, bias?: Node, options: ConvOptions = {}): Node {
  const y = conv(x, weight, options);
  return bias ? add(y, perChannel(bias)) : y;
}

/**
 * Transposed convolution: x [B,I,H,W], weight [I,O/G,Kh,Kw] → [B,O,Ho,Wo].
 *
 * Ho = (H − 1)·stride − 2·padding + dilation·(Kh − 1) + outputPadding + 1.
 */
export function convTranspose2d(
  x: Node,
  weight: Node,
  bias?: Node,
  options: ConvOptions & { readonly outputPadding?: number | Pair } = {},
): Node {
  const { outputPadding = 0, ...attrs } = options;
  const at = (value: number | Pair | undefined, otherwise: number, axis: 0 | 1) =>
    value === undefined ? otherwise : typeof value === "number" ? value : value[axis];
  const extent = (axis: 0 | 1) =>
    (x.shape[2 + axis]! - 1) * at(attrs.stride, 1, axis) -
    2 * at(attrs.padding, 0, axis) +
    at(attrs.dilation, 1, axis) * (weight.shape[2 + axis]! - 1) +
    at(outputPadding, 0, axis) +
    1;
  const y = convInput(x, weight, [extent(0), extent(1)], attrs);
  return bias ? add(y, perChannel(bias)) : y;
}

/** [C] → [1,C,1,1], so that it broadcasts over images. */
export function perChannel(v: Node): Node {
  return reshape(v, [1, v.shape[0]!, 1, 1]);
}

/** Mean pooling: x [B,C,H,W] → [B,C,Ho,Wo]. Zeros of the padding count, as in PyTorch's default. */
export function avgPool(x: Node, kernel: Pair, stride: Pair = kernel, padding: Pair = [0, 0]): Node {
  needRank("avgPool", "x", x, 4);
  const [b, c, h, w] = x.shape as [number, number, number, number];
  const tiles = padding.every((p) => p === 0) && stride.every((s, i) => s === kernel[i]);
  if (tiles && h % kernel[0] === 0 && w % kernel[1] === 0) {
    const [ho, wo] = [h / kernel[0], w / kernel[1]];
    return reshape(mean(reshape(x, [b * c, ho, kernel[0], wo, kernel[1]]), [2, 4]), [b, c, ho, wo]);
  }
  const box = broadcastTo(scalar(1 / (kernel[0] * kernel[1])), [1, 1, ...kernel]);
  const y = conv(reshape(x, [b * c, 1, h, w]), box, { stride, padding });
  return reshape(y, [b, c, y.shape[2]!, y.shape[3]!]);
}

/** Mean over rows and columns: [B,C,H,W] → [B,C]. */
export function globalAvgPool(x: Node): Node {
  needRank("globalAvgPool", "x", x, 4);
  return mean(x, [2, 3]);
}

/** Where BatchNorm takes its statistics from: the batch, or the running ones [C]. */
export type NormStatistics = "batch" | { readonly mean: Node; readonly variance: Node };

/**
 * Batch normalisation: γ·(x − μ)/√(v + ε) + β per channel.
 *
 * x [B,C,H,W]; gamma, beta [C]; μ, v over B, H, W (biased) with "batch", else as given. ε > 0, PyTorch's default 1e-5.
 * Source: Ioffe and Szegedy, "Batch normalization", ICML 2015.
 */
export function batchNorm(x: Node, gamma: Node, beta: Node, statistics: NormStatistics, epsilon = 1e-5): Node {
  needRank("batchNorm", "x", x, 4);
  const axes = [0, 2, 3];
  const keep = { keepDims: true };
  const centred = sub(x, statistics === "batch" ? mean(x, axes, keep) : perChannel(statistics.mean));
  const v = statistics === "batch" ? mean(square(centred), axes, keep) : perChannel(statistics.variance);
  return add(mul(centred, div(perChannel(gamma), sqrt(add(v, epsilon)))), perChannel(beta));
}

/** Each pixel repeated factor × factor times: [B,C,H,W] → [B,C,factor·H,factor·W]; integer factor ≥ 1. */
export function resizeNearest(x: Node, factor: number): Node {
  needRank("resizeNearest", "x", x, 4);
  if (!Number.isInteger(factor) || factor < 1) {
    fail({
      who: "resizeNearest",
      must: "factor must be an integer ≥ 1",
      got: `${factor}`,
      remedy: "Use resizeBicubic.",
    });
  }
  const [b, c, h, w] = x.shape as [number, number, number, number];
  const wide = broadcastTo(reshape(x, [b * c, h, 1, w, 1]), [b * c, h, factor, w, factor]);
  return reshape(wide, [b, c, h * factor, w * factor]);
}

/**
 * Bicubic interpolation to `size`: [B,C,H,W] → [B,C,…size], half-pixel centres, edges repeated, no anti-aliasing.
 *
 * y = R·x·Cᵀ with the rows of R and C holding Keys' cubic kernel, a = −0.75 (as PyTorch; Keys' own choice is −0.5).
 * Source: Keys, "Cubic convolution interpolation for digital image processing", 1981.
 */
export function resizeBicubic(x: Node, size: Pair): Node {
  needRank("resizeBicubic", "x", x, 4);
  const [b, c, h, w] = x.shape as [number, number, number, number];
  const columns = matmul(reshape(x, [b * c * h, w]), swapLast(cubicMatrix(w, size[1])));
  const upright = transpose(reshape(columns, [b * c, h, size[1]]), [0, 2, 1]);
  const rows = matmul(reshape(upright, [b * c * size[1], h]), swapLast(cubicMatrix(h, size[0])));
  return reshape(transpose(reshape(rows, [b * c, size[1], size[0]]), [0, 2, 1]), [b, c, ...size]);
}

/** Total variation mean|Δ rows| + mean|Δ columns| of images [B,C,H,W], a scalar; of signals, where H or W is 1, along the other axis alone. */
export function totalVariation(x: Node): Node {
  needRank("totalVariation", "x", x, 4);
  const axes = [2, 3].filter((axis) => x.shape[axis]! > 1);
  if (axes.length === 0) {
    fail({
      who: "total variation",
      must: "images must have 2 pixels or more in a row or column",
      got: describe(x),
      remedy: "Use larger images (--size), or --tv 0.",
    });
  }
  const difference = (axis: number) => {
    const n = x.shape[axis]! - 1;
    return mean(abs(sub(narrow(x, axis, 1, n), narrow(x, axis, 0, n))));
  };
  return axes.map(difference).reduce((sum, next) => add(sum, next));
}

function cubicMatrix(from: number, to: number): Node {
  const values = new Float64Array(to * from);
  for (let i = 0; i < to; i++) {
    const centre = ((i + 0.5) * from) / to - 0.5;
    const first = Math.floor(centre) - 1;
    for (let tap = first; tap < first + 4; tap++) {
      const column = Math.min(from - 1, Math.max(0, tap));
      values[i * from + column]! += cubicKernel(centre - tap);
    }
  }
  return constantOf([to, from], values);
}

function cubicKernel(t: number): number {
  const a = -0.75; // as PyTorch's bicubic mode
  const d = Math.abs(t);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((d - 5) * d + 8) * d * a - 4 * a : 0;
}
