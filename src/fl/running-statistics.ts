import { add, input, mul, type Node } from "../graph/index.ts";
import { type BatchStatistics, inputsFor, type Model } from "../nn/index.ts";
import { float32, type Tensors } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import type { ChannelStatistics } from "./types.ts";

const MOMENTUM = 0.1; // PyTorch's default for torch.nn.BatchNorm2d

/**
 * BatchNorm's running statistics after a train-mode step: r ← 0.9·r + 0.1·s, s being the batch's mean or its unbiased
 * variance, variance·n/(n−1).
 *
 * buffers: by name, `<module>.running_mean` and `<module>.running_var` of each module in `statistics`; others are kept.
 * counts: n = B·H·W ≥ 2 by module. Source: PyTorch, torch.nn.BatchNorm2d.
 */
export function movedStatistics(
  buffers: Tensors<"float32">,
  statistics: Readonly<Record<string, ChannelStatistics>>,
  counts: Readonly<Record<string, number>>,
): Tensors<"float32"> {
  const moved: Record<string, Tensors<"float32">[string]> = { ...buffers };
  for (const [module, { mean, variance }] of Object.entries(statistics)) {
    const unbiased = counts[module]! / (counts[module]! - 1);
    blend(`${module}.running_mean`, mean.data, 1);
    blend(`${module}.running_var`, variance.data, unbiased);
  }
  return moved;

  function blend(name: string, seen: Float32Array, factor: number): void {
    const before = buffers[name];
    if (!before) {
      fail({ who: "client", must: `buffers must hold "${name}"`, got: "nothing", remedy: "Pass the model's buffers." });
    }
    const after = before.data.map((r, c) => (1 - MOMENTUM) * r + MOMENTUM * seen[c]! * factor);
    moved[name] = float32(before.shape, after);
  }
}

/**
 * What each BatchNorm saw in S train-mode steps, from its running statistics before and after them.
 *
 * s = (r_S − 0.9^S·r_0)/(1 − 0.9^S), the mean over the steps weighted by `stepShares`; the variance is made biased, ·(n − 1)/n.
 * counts: n = B·H·W ≥ 2 by module, B images a step. Modules whose running statistics are missing are left out.
 */
export function statisticsSeen(
  before: Tensors<"float32">,
  after: Tensors<"float32">,
  counts: Readonly<Record<string, number>>,
  steps: number,
): Record<string, ChannelStatistics> {
  const left = (1 - MOMENTUM) ** steps;
  const seen = (name: string, factor: number) => {
    const [start, end] = [before[name], after[name]];
    if (!start || !end) return undefined;
    return float32(
      end.shape,
      end.data.map((v, c) => (factor * (v - left * start.data[c]!)) / (1 - left)),
    );
  };
  return Object.fromEntries(
    Object.entries(counts).flatMap(([module, n]) => {
      const mean = seen(`${module}.running_mean`, 1);
      const variance = seen(`${module}.running_var`, (n - 1) / n);
      return mean && variance ? [[module, { mean, variance }]] : [];
    }),
  );
}

/** n = B·H·W of each BatchNorm, by module, for batches of B images. */
export function batchNormCounts(model: Model, batchSize: number): Record<string, number> {
  const { statistics } = model.forward({
    params: inputsFor(model.params, "param."),
    buffers: inputsFor(model.buffers, "buffer."),
    x: input("images", [batchSize, ...model.inputShape]),
    mode: "train",
  });
  return Object.fromEntries(Object.entries(statistics).map(([module, { count }]) => [module, count]));
}

/** How much each of S steps counts in `statisticsSeen`, the first one first: 0.1·0.9^(S−s)/(1 − 0.9^S); their sum is 1. */
export function stepShares(steps: number): number[] {
  const whole = 1 - (1 - MOMENTUM) ** steps;
  return Array.from({ length: steps }, (_, s) => (MOMENTUM * (1 - MOMENTUM) ** (steps - 1 - s)) / whole);
}

/** `movedStatistics` as a graph: the buffers' nodes after a train-mode step, by name; the same rule inside a program. */
export function movedStatisticNodes(
  buffers: Readonly<Record<string, Node>>,
  statistics: Readonly<Record<string, BatchStatistics>>,
): Record<string, Node> {
  const blend = (name: string, seen: Node, factor: number) =>
    add(mul(buffers[name]!, 1 - MOMENTUM), mul(seen, MOMENTUM * factor));
  const moved = { ...buffers };
  for (const [module, { mean, variance, count }] of Object.entries(statistics)) {
    const [meanName, varianceName] = [`${module}.running_mean`, `${module}.running_var`];
    moved[meanName] = blend(meanName, mean, 1);
    moved[varianceName] = blend(varianceName, variance, count / (count - 1));
  }
  return moved;
}
