import { div, mul, type Node, tanh } from "../../graph/index.ts";
import { float32, type Shape, sizeOf } from "../../tensor/index.ts";
import { normal } from "../../util/index.ts";
import { needPrior } from "../prior/need-prior.ts";
import type { Prior } from "../prior/types.ts";
import type { Parameterisation } from "./types.ts";

const CODES = "z"; // the state's tensor

/**
 * The images are what a trained decoder makes of latent vectors, which are optimised: x = decode(ℓ·tanh(z/ℓ)).
 *
 * shape [B,C,H,W]; z [B,L], drawn from N(0,1); ℓ is the prior's limit, so every image is one that the decoder can make;
 * labels [B,N], rows of probabilities, for a decoder that is told the classes. The prior's tensors must be baked in.
 * Throws FedleakError when there is no prior.
 * Source: Li et al., "Auditing privacy defenses in federated learning via generative gradient leakage", CVPR 2022, with
 * ℓ = 1 on BigGAN. Differs: the limit is the decoder's own; ours was trained on N(0,1), a third of which lies outside (−1,1).
 */
export function latent(
  shape: Shape,
  parts: { readonly prior: Prior | undefined; readonly labels: Node },
): Parameterisation {
  const prior = needPrior(parts.prior, "parameterisation latent");
  const codes = [shape[0]!, prior.latent];
  return {
    variables: { [CODES]: codes },
    buffers: {},
    fixed: {},
    initial: (key) => ({ [CODES]: float32(codes, normal(key, sizeOf(codes))) }),
    decode: (tensors) => {
      const z = mul(tanh(div(tensors[CODES]!, prior.limit)), prior.limit);
      const images = prior.classes === 0 ? prior.decode(z) : prior.decode(z, parts.labels);
      return { images, buffers: {} };
    },
    project: (variables) => variables, // tanh keeps the codes within the limit
  };
}
