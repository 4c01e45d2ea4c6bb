import type { BufferSpec, Model, ParamSpec } from "../nn/index.ts";
import { float32, type Tensors } from "../tensor/index.ts";
import { fail } from "../util/index.ts";

/** What becomes of BatchNorm's running statistics in a federation, with one line on each. */
export const BUFFER_RULES = {
  averaged: "clients send running statistics, the server averages them with the weights",
  local: "each client keeps its running statistics; scale and shift are averaged (as SiloBN)",
  "local-layers": "each client keeps all of its BatchNorm layers, scale and shift too (as FedBN)",
} as const;

export type BufferRule = keyof typeof BUFFER_RULES;

/** One client's part of an average. */
export interface Share {
  readonly tensors: Tensors<"float32">;
  /** Relative to the others', > 0: the number of the client's images, in FedAvg. */
  readonly weight: number;
}

/**
 * Σ_k weight_k · tensors_k / Σ_k weight_k, tensor by tensor, summed in float64 in the order given.
 *
 * Source: McMahan et al., "Communication-efficient learning", AISTATS 2017, Algorithm 1. Throws when there is no client or
 * one lacks a tensor that the first has.
 */
export function weightedMean(shares: readonly Share[]): Tensors<"float32"> {
  const first = shares[0];
  if (!first) {
    return fail({ who: "aggregate", must: "at least one client must take part", got: "none", remedy: "Pass one." });
  }
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  return Object.fromEntries(
    Object.entries(first.tensors).map(([name, { shape, data }]) => {
      const sum = new Float64Array(data.length);
      for (const { tensors, weight } of shares) {
        const part = tensors[name]?.data;
        if (part?.length !== sum.length) {
          fail({
            who: "aggregate",
            must: `every client must send "${name}" with ${sum.length} numbers`,
            got: part ? `${part.length}` : "nothing",
            remedy: "Average updates of one model only.",
          });
        }
        const factor = weight / total;
        for (let i = 0; i < sum.length; i++) sum[i]! += factor * part[i]!;
      }
      return [name, float32(shape, Float32Array.from(sum))];
    }),
  );
}

/** The names of a model's tensors that stay with the client under a rule. */
export function keptByClient(
  model: { readonly params: readonly ParamSpec[]; readonly buffers: readonly BufferSpec[] } & Pick<Model, "name">,
  rule: BufferRule,
): readonly string[] {
  if (rule === "averaged") return [];
  const buffers = model.buffers.map(({ name }) => name);
  if (rule === "local") return buffers;
  const layers = new Set(buffers.map((name) => name.replace(/\.running_(mean|var)$/, "")));
  const params = model.params.map(({ name }) => name).filter((name) => layers.has(name.replace(/\.[^.]*$/, "")));
  return [...params, ...buffers];
}
