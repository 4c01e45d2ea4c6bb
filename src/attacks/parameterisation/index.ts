import { constant } from "../../graph/index.ts";
import type { Shape, Tensor } from "../../tensor/index.ts";
import type { Prior } from "../prior/types.ts";
import type { AttackSettings } from "../settings.ts";
import { generator } from "./generator.ts";
import { latent } from "./latent.ts";
import { lowResolution } from "./low-resolution.ts";
import { pixels } from "./pixels.ts";
import type { Parameterisation } from "./types.ts";

export type { Parameterisation } from "./types.ts";

/**
 * What a setting of that name stands for.
 *
 * shape: of the images, [B,C,H,W]; probabilities [B,N]: the labels at the start, for a decoder that is told the classes.
 */
export function parameterise(
  shape: Shape,
  settings: AttackSettings,
  { prior, probabilities }: { readonly prior: Prior | undefined; readonly probabilities: Tensor<"float32"> },
): Parameterisation {
  switch (settings.parameterisation) {
    case "pixels":
      return pixels(shape, settings);
    case "generator":
      return generator(shape, settings);
    case "low-resolution":
      return lowResolution(shape, settings);
    case "latent":
      return latent(shape, { prior, labels: constant(probabilities) });
  }
}
