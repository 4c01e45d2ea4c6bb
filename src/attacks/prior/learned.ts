import type { Node } from "../../graph/index.ts";
import { maximum, minimum } from "../../graph/index.ts";
import type { Decoder, Restorer } from "../../models/index.ts";
import { inputsFor } from "../../nn/index.ts";
import type { Tensors } from "../../tensor/index.ts";
import type { Prior } from "./types.ts";

const LIMIT = 3; // our choice: of the N(0,1) that the decoder was trained on, all but 0.3 % lies within

/**
 * The prior of a decoder and a restorer that were trained by `fedleak train-prior`.
 *
 * tensors: the decoder's under "decoder." and the restorer's under "restorer.", of the shapes that they ask for; others
 * are passed over. What the restorer makes is put into [0,1].
 */
export function learnedPrior(parts: {
  readonly name: string;
  readonly about: string;
  readonly decoder: Decoder;
  readonly restorer: Restorer;
  readonly tensors: Tensors<"float32">;
}): Prior {
  const { name, about, decoder, restorer, tensors } = parts;
  const inputs = { decoder: inputsFor(decoder.params, DECODER), restorer: inputsFor(restorer.params, RESTORER) };
  const wanted = [
    ...decoder.params.map((spec) => `decoder.${spec.name}`),
    ...restorer.params.map((spec) => `restorer.${spec.name}`),
  ];
  return {
    name,
    about,
    latent: decoder.latent,
    limit: LIMIT,
    classes: decoder.classes,
    imageShape: decoder.imageShape,
    decode: (z, labels) => decoder.forward({ params: inputs.decoder, z, labels }),
    restore: (images: Node) => minimum(maximum(restorer.forward({ params: inputs.restorer, images }), 0), 1),
    tensors: Object.fromEntries(wanted.map((tensor) => [`prior.${tensor}`, tensors[tensor]!])),
  };
}

const [DECODER, RESTORER] = ["prior.decoder.", "prior.restorer."] as const;
