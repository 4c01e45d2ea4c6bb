import {
  conv,
  div,
  dot,
  matmul,
  maximum,
  type Node,
  reshape,
  sqrt,
  square,
  stopGradient,
  sum,
  swapLast,
} from "../graph/index.ts";
import { fanInInit, unitVectorInit } from "./init.ts";
import type { ConvLayerOptions } from "./layers.ts";
import type { Scope } from "./scope.ts";

const SMALLEST_NORM = 1e-12; // eps of torch.nn.utils.spectral_norm

/** Convolution without bias by a spectrally normalised weight: x [B,I,H,W] → [B,O,Ho,Wo]; weight_orig [O,I,K,K], weight_u [O]. */
export function spectralConvLayer(
  scope: Scope,
  x: Node,
  options: Pick<ConvLayerOptions, "channels" | "kernel" | "padding">,
): Node {
  const { channels, kernel, padding = 0 } = options;
  const fanIn = x.shape[1]! * kernel * kernel;
  const weight = scope.param("weight_orig", [channels, x.shape[1]!, kernel, kernel], fanInInit(fanIn));
  const u = scope.buffer("weight_u", [channels], unitVectorInit);
  const normalised = spectralNorm(weight, u);
  scope.noteBuffer("weight_u", normalised.u);
  return conv(x, normalised.weight, { padding });
}

/**
 * A weight divided by its largest singular value, which one step of power iteration estimates.
 *
 * M = weight as [O, rest]; v = Mᵀu/‖Mᵀu‖, u' = Mv/‖Mv‖, σ = u'ᵀMv; result weight/σ and u'. No gradient through u', v.
 * weight [O,…]; u [O], of norm 1. Repeated runs from the last u' make σ exact.
 * Source: Miyato et al., "Spectral normalization for generative adversarial networks", ICLR 2018, algorithm 1; as
 * torch.nn.utils.spectral_norm in train mode.
 * Differs: v is computed anew from u in every run, so it is no buffer.
 */
export function spectralNorm(weight: Node, u: Node): { readonly weight: Node; readonly u: Node } {
  const rows = weight.shape[0]!;
  const matrix = reshape(weight, [rows, -1]);
  const v = stopGradient(direction(matmul(swapLast(matrix), reshape(u, [rows, 1])))); // [rest,1]
  const next = stopGradient(direction(matmul(matrix, v))); // [O,1]
  const sigma = dot(next, matmul(matrix, v));
  return { weight: div(weight, sigma), u: reshape(next, [rows]) };
}

/** x/‖x‖ */
function direction(x: Node): Node {
  return div(x, maximum(sqrt(sum(square(x))), SMALLEST_NORM));
}
