import type { Model } from "../nn/index.ts";
import type { Tensors } from "../tensor/index.ts";
import { type Key, permutation, split } from "../util/index.ts";
import { type BufferRule, keptByClient, weightedMean } from "./aggregate.ts";
import type { TurnOutcome } from "./local-training.ts";
import type { Weights } from "./types.ts";

/** The clients of a round: max(1, share · U, rounded) different ones of U, ascending, drawn from split(key, round). */
export function drawClients(clients: number, share: number, key: Key, round: number): number[] {
  const size = Math.max(1, Math.round(share * clients));
  return permutation(split(key, round), clients)
    .slice(0, size)
    .sort((a, b) => a - b);
}

/** What a client begins a round with: the server's weights, and in their place those tensors that it keeps. */
export function handedOut(server: Weights, own: Tensors<"float32">): Weights {
  const chosen = (tensors: Tensors<"float32">) =>
    Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, own[name] ?? t]));
  return { params: chosen(server.params), buffers: chosen(server.buffers) };
}

/** One client's result, with the number of its images. */
export interface Contribution {
  readonly outcome: TurnOutcome;
  readonly images: number;
}

/**
 * The server's weights after a round of FedAvg: the clients' mean, each counting by its images; what clients keep stays.
 *
 * Source: McMahan et al., AISTATS 2017, Algorithm 1; buffers by the rule (FedBN: Li et al., ICLR 2021; SiloBN: Andreux et al. 2020).
 */
export function averaged(
  server: Weights,
  contributions: readonly Contribution[],
  model: Model,
  rule: BufferRule,
): Weights {
  const kept = new Set(keptByClient(model, rule));
  const mean = (part: keyof Weights): Tensors<"float32"> => {
    const sent = contributions.map(({ outcome, images }) => ({
      tensors: without(outcome.weights[part], kept),
      weight: images,
    }));
    return { ...server[part], ...weightedMean(sent) };
  };
  return { params: mean("params"), buffers: mean("buffers") };
}

/** Of a client's tensors those that it keeps under a rule. */
export function keptOf({ params, buffers }: Weights, model: Model, rule: BufferRule): Tensors<"float32"> {
  const all = { ...params, ...buffers };
  return Object.fromEntries(keptByClient(model, rule).map((name) => [name, all[name]!]));
}

function without(tensors: Tensors<"float32">, names: ReadonlySet<string>): Tensors<"float32"> {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => !names.has(name)));
}
