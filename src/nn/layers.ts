/** Layers: each asks its scope for tensors under PyTorch's names, with PyTorch's initial values, and builds its output. */
import {
  add,
  batchNorm,
  concat,
  conv2d,
  convTranspose2d,
  div,
  linear,
  mean,
  mul,
  type Node,
  perChannel,
  reshape,
  sqrt,
  square,
  sub,
  variance,
} from "../graph/index.ts";
import { fail } from "../util/index.ts";
import { constantInit, fanInInit, type Init } from "./init.ts";
import type { BatchStatistics, Scope } from "./scope.ts";

/** How a layer's tensors start where that is not PyTorch's default. */
export interface LayerInits {
  readonly weight?: Init;
  readonly bias?: Init;
}

/** x·weightᵀ + bias: x [B,D] → [B,features]; weight [features,D], bias [features]. As torch.nn.Linear. */
export function linearLayer(scope: Scope, x: Node, features: number, inits: LayerInits = {}): Node {
  const width = x.shape[1]!;
  const { weight: weightInit = fanInInit(width), bias: biasInit = fanInInit(width) } = inits;
  const weight = scope.param("weight", [features, width], weightInit);
  return linear(x, weight, scope.param("bias", [features], biasInit));
}

/** Square kernels and equal strides and paddings along rows and columns, in pixels. */
export interface ConvLayerOptions {
  /** O, the number of output channels. */
  readonly channels: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly groups?: number;
  readonly bias?: boolean;
  readonly inits?: LayerInits;
}

/** Convolution: x [B,I,H,W] → [B,O,Ho,Wo]; weight [O,I/G,K,K], bias [O]. As torch.nn.Conv2d. */
export function convLayer(scope: Scope, x: Node, options: ConvLayerOptions): Node {
  const { channels, kernel, stride = 1, padding = 0, groups = 1, bias = true, inits = {} } = options;
  const perGroup = x.shape[1]! / groups;
  const init = fanInInit(perGroup * kernel * kernel);
  const weight = scope.param("weight", [channels, perGroup, kernel, kernel], inits.weight ?? init);
  const shift = bias ? scope.param("bias", [channels], inits.bias ?? init) : undefined;
  return conv2d(x, weight, shift, { stride, padding, groups });
}

/**
 * Transposed convolution: x [B,I,H,W] → [B,O,Ho,Wo], Ho = (H − 1)·stride − 2·padding + K; weight [I,O,K,K], bias [O].
 *
 * As torch.nn.ConvTranspose2d, which takes O·K·K for the fan-in when it initialises.
 */
export function transposedConvLayer(scope: Scope, x: Node, options: Omit<ConvLayerOptions, "groups" | "inits">): Node {
  const { channels, kernel, stride = 1, padding = 0, bias = true } = options;
  const init = fanInInit(channels * kernel * kernel);
  const weight = scope.param("weight", [x.shape[1]!, channels, kernel, kernel], init);
  return convTranspose2d(x, weight, bias ? scope.param("bias", [channels], init) : undefined, { stride, padding });
}

interface BatchNormLayerOptions {
  readonly track?: boolean;
  readonly folded?: boolean;
}

/**
 * Batch normalisation: x [B,C,H,W] → same shape; weight, bias, running_mean, running_var [C]. As torch.nn.BatchNorm2d.
 *
 * In train mode by the batch's statistics, which it reports; in eval mode by the running ones. With `track` false it
 * keeps no running statistics and always uses the batch's. With `folded` true it computes, by the batch, x·a + b of two
 * numbers a channel, as PyTorch does on a processor, instead of centring x first; the numbers agree but for rounding.
 * Throws in train mode when a channel has only one value, whose variance is 0 whatever the image.
 * Differs: it never changes the running statistics and has no `num_batches_tracked`; who trains moves them.
 */
export function batchNormLayer(scope: Scope, x: Node, options: BatchNormLayerOptions = {}): Node {
  const { track = true, folded = false } = options;
  const tensors = batchNormTensors(scope, x.shape[1]!);
  const { gamma, beta } = tensors;
  const running = track && tensors.running();
  if (running && scope.mode === "eval") return batchNorm(x, gamma, beta, running);
  scope.noteStatistics(batchStatistics(scope.name, x));
  return folded ? foldedNorm(x, gamma, beta) : batchNorm(x, gamma, beta, "batch");
}

/** x·a + b by the batch: a = γ/√(v + ε), b = β − μ·a. */
function foldedNorm(x: Node, gamma: Node, beta: Node): Node {
  const centre = mean(x, IMAGES, KEEP);
  const spread = mean(square(sub(x, centre)), IMAGES, KEEP);
  const scale = div(perChannel(gamma), sqrt(add(spread, EPSILON)));
  return add(mul(x, scale), sub(perChannel(beta), mul(centre, scale)));
}

/** Channels that several layers normalise, each beside others: what follows from these channels alone is made once. */
export interface NormPart {
  /** [B,C,H,W] */
  readonly x: Node;
  /** In train mode (x − μ)/√(v + ε), and μ and v. */
  readonly batch: { readonly normal: Node; readonly seen: BatchStatistics } | undefined;
}

/** The part of x [B,C,H,W]. Throws in train mode when a channel has only one value. */
export function normPart(scope: Scope, x: Node): NormPart {
  if (scope.mode === "eval") return { x, batch: undefined };
  return { x, batch: { normal: standardised(x), seen: batchStatistics(scope.name, x) } };
}

/** `batchNormLayer` of parts side by side: [B,Cᵢ,H,W] each → [B,ΣCᵢ,H,W]. */
export function batchNormPartsLayer(scope: Scope, parts: readonly NormPart[]): Node {
  const channels = parts.reduce((total, { x }) => total + x.shape[1]!, 0);
  const tensors = batchNormTensors(scope, channels);
  const { gamma, beta } = tensors;
  const running = tensors.running();
  const batches = parts.flatMap(({ batch }) => batch ?? []);
  if (batches.length === 0) {
    const whole = parts.map(({ x }) => x);
    return batchNorm(concat(whole, 1), gamma, beta, running);
  }
  const beside = (of: (seen: BatchStatistics) => Node) =>
    concat(
      batches.map(({ seen }) => of(seen)),
      0,
    );
  scope.noteStatistics({
    mean: beside(({ mean }) => mean),
    variance: beside(({ variance }) => variance),
    count: batches[0]!.seen.count,
  });
  const normals = batches.map(({ normal }) => normal);
  return add(mul(concat(normals, 1), perChannel(gamma)), perChannel(beta));
}

const EPSILON = 1e-5; // of torch.nn.BatchNorm2d

/** (x − mean)/√(variance + ε) per channel of the batch. */
function standardised(x: Node): Node {
  const once = sub(x, mean(x, IMAGES, KEEP));
  const centred = sub(once, mean(once, IMAGES, KEEP)); // what rounding left of the mean: gradients before it nearly cancel
  return div(centred, sqrt(add(mean(square(centred), IMAGES, KEEP), EPSILON)));
}

function batchNormTensors(scope: Scope, channels: number) {
  const shape = [channels];
  const gamma = scope.param("weight", shape, constantInit(1));
  const beta = scope.param("bias", shape, constantInit(0));
  const running = () => ({
    mean: scope.buffer("running_mean", shape, constantInit(0)),
    variance: scope.buffer("running_var", shape, constantInit(1)),
  });
  return { gamma, beta, running };
}

const IMAGES = [0, 2, 3]; // the axes of a channel's values
const KEEP = { keepDims: true };

function batchStatistics(name: string, x: Node): BatchStatistics {
  const [b, c, h, w] = x.shape as [number, number, number, number];
  const count = b * h * w;
  if (count < 2) {
    fail({
      who: `batch-norm ${name}`,
      must: "train mode needs at least 2 values a channel",
      got: `x [${x.shape.join(",")}]`,
      remedy: "Use a larger batch, larger images or eval mode.",
    });
  }
  // with the dimensions kept, as batchNorm computes them, so that they are the same nodes
  return { mean: reshape(mean(x, IMAGES, KEEP), [c]), variance: reshape(variance(x, IMAGES, KEEP), [c]), count };
}
