/** Layers of transformers. Tokens are [B,T,D]: T vectors of width D an image. */
import {
  add,
  div,
  linear,
  matmul,
  mean,
  mul,
  type Node,
  narrow,
  reshape,
  softmax,
  sqrt,
  square,
  sub,
  swapLast,
  transpose,
} from "../graph/index.ts";
import { fail } from "../util/index.ts";
import { constantInit, fanInInit, glorotInit } from "./init.ts";
import { type LayerInits, linearLayer } from "./layers.ts";
import type { Scope } from "./scope.ts";

/**
 * Multi-head self-attention: tokens x [B,T,D] → [B,Q,D].
 *
 * Of each head of width d = D/heads: softmax(q·kᵀ/√d)·v; the heads side by side, times the output's weight, plus its bias.
 * in_proj_weight [3·D,D] and in_proj_bias [3·D] (queries, keys, values), out_proj.weight [D,D], out_proj.bias [D].
 * Only the first Q = `queries` tokens ask, all T answer; Q = T when not given. Throws when heads do not divide D.
 * Source: Vaswani et al., "Attention is all you need", NeurIPS 2017; names and initial values of
 * torch.nn.MultiheadAttention.
 */
export function attentionLayer(
  scope: Scope,
  x: Node,
  { heads, queries = x.shape[1]! }: { readonly heads: number; readonly queries?: number },
): Node {
  const [b, t, d] = x.shape as [number, number, number];
  if (d % heads !== 0) {
    fail({
      who: `attention ${scope.name}`,
      must: "the number of heads must divide the width",
      got: `${heads} heads, width ${d}`,
      remedy: "Change one of them.",
    });
  }
  const weight = scope.param("in_proj_weight", [3 * d, d], glorotInit(d, 3 * d));
  const projected = linear(reshape(x, [b * t, d]), weight, scope.param("in_proj_bias", [3 * d], constantInit(0)));
  const apart = transpose(reshape(projected, [b, t, 3, heads, d / heads]), [2, 0, 3, 1, 4]);
  const part = (i: number) => reshape(narrow(apart, 0, i, 1), [b * heads, t, d / heads]);
  const asked = narrow(part(0), 1, 0, queries);
  const scores = mul(matmul(asked, swapLast(part(1))), 1 / Math.sqrt(d / heads)); // [B·heads,Q,T]
  const mixed = reshape(matmul(softmax(scores), part(2)), [b, heads, queries, d / heads]);
  const joined = reshape(transpose(mixed, [0, 2, 1, 3]), [b, queries, d]);
  const inits = { weight: fanInInit(d), bias: constantInit(0) };
  return tokensLayer(scope.at("out_proj"), joined, d, inits);
}

/** A linear layer on each token: x [B,T,D] → [B,T,features]; as `linearLayer`. */
export function tokensLayer(scope: Scope, x: Node, features: number, inits?: LayerInits): Node {
  const [b, t, d] = x.shape as [number, number, number];
  return reshape(linearLayer(scope, reshape(x, [b * t, d]), features, inits), [b, t, features]);
}

/**
 * Layer normalisation of each token: γ·(x − μ)/√(v + ε) + β, mean μ and biased variance v over its D numbers.
 *
 * x [B,T,D] → same shape; weight, bias [D]; ε > 0. As torch.nn.LayerNorm.
 * Source: Ba et al., "Layer normalization", 2016.
 */
export function layerNormLayer(scope: Scope, x: Node, epsilon: number): Node {
  const d = x.shape.at(-1)!;
  const last = [x.shape.length - 1];
  const keep = { keepDims: true };
  const centred = sub(x, mean(x, last, keep));
  const normal = div(centred, sqrt(add(mean(square(centred), last, keep), epsilon)));
  const gamma = scope.param("weight", [d], constantInit(1));
  return add(mul(normal, gamma), scope.param("bias", [d], constantInit(0)));
}

/**
 * One token for each patch of P×P pixels, row by row: x [B,C,H,W] → [B,H·W/P²,features]; P divides H and W.
 *
 * weight [features,C,P,P], bias [features]: a convolution of stride P, computed as the one matrix product it is.
 */
export function patchLayer(
  scope: Scope,
  x: Node,
  { features, patch, inits = {} }: { readonly features: number; readonly patch: number; readonly inits?: LayerInits },
): Node {
  const [b, c, h, w] = x.shape as [number, number, number, number];
  const [rows, columns, pixels] = [h / patch, w / patch, c * patch * patch];
  const tiles = transpose(reshape(x, [b, c, rows, patch, columns, patch]), [0, 2, 4, 1, 3, 5]);
  const { weight: weightInit = fanInInit(pixels), bias: biasInit = fanInInit(pixels) } = inits;
  const weight = reshape(scope.param("weight", [features, c, patch, patch], weightInit), [features, pixels]);
  const bias = scope.param("bias", [features], biasInit);
  return reshape(linear(reshape(tiles, [b * rows * columns, pixels]), weight, bias), [b, rows * columns, features]);
}
