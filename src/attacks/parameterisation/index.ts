import type { Column } from "../../data/browser.ts";
import { constant } from "../../graph/index.ts";
import type { Shape, Tensor } from "../../tensor/index.ts";
import { fail } from "../../util/index.ts";
import type { Prior } from "../prior/types.ts";
import type { AttackSettings } from "../settings.ts";
import { columnsOf } from "./columns.ts";
import { generator } from "./generator.ts";
import { latent } from "./latent.ts";
import { lowResolution } from "./low-resolution.ts";
import { pixels } from "./pixels.ts";
import type { Parameterisation } from "./types.ts";

export { checkColumns, hardRows } from "./columns.ts";
export type { Parameterisation } from "./types.ts";

/**
 * What a setting of that name stands for.
 *
 * shape: of the images, [B,C,H,W]; probabilities [B,N]: the labels at the start, for a decoder that is told the classes;
 * columns: of a table's rows, absent for images. Throws FedleakError when the setting is "columns" and there are none.
 */
export function parameterise(
  shape: Shape,
  settings: AttackSettings,
  {
    prior,
    probabilities,
    columns,
  }: {
    readonly prior: Prior | undefined;
    readonly probabilities: Tensor<"float32">;
    readonly columns: readonly Column[] | undefined;
  },
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
    case "columns":
      return columnsOf(shape, columns ?? noColumns());
  }
}

function noColumns(): never {
  return fail({
    who: "parameterisation columns",
    must: "the client's data must be a table, whose columns are declared",
    got: "images",
    remedy: "Leave it away: tables always take it, and images cannot.",
  });
}
