import { mean } from "./average.ts";
import type { Floor } from "./floors.ts";
import type { PairScore } from "./score.ts";

/** How far reconstructions stand above what a picture without anything private scores. */
export interface Leakage {
  /** Mean PSNR less the highest mean PSNR of a floor, in dB; negative where a floor scores more. */
  readonly aboveFloorDb: number;
  /** Share of the best floor's squared error that is gone, per image, then averaged: in [0,1]. */
  readonly share: number;
}

/**
 * What a reconstruction tells beyond its floors, in decibels and as a share.
 *
 * aboveFloorDb = mean_i psnr_i − max_f (mean_i psnr_fi)
 * share = mean_i clip((e_i − mse_i) / e_i, 0, 1) with e_i = min_f mse_fi, the least error of any floor on image i
 * pairs: the rows of one pairing, one a true image; floors: at least one; where its PSNR per image is not stored, the mean.
 * share 0: no image is closer than a blank or average picture (nothing leaked that squared error can see); 1: exact images.
 * An image that is worse than its floor counts 0, not less: one exposed image is not made up for by a hidden one.
 * Source: none; our choice. 10 log10 of (1 − share) of a single image is its PSNR above its own floor, with the sign turned.
 */
export function leakage(
  pairs: readonly Pick<PairScore, "mse" | "psnrDb">[],
  floors: readonly { readonly psnrDb: number; readonly perImagePsnrDb?: Floor["perImagePsnrDb"] | undefined }[],
): Leakage {
  const highest = Math.max(...floors.map((floor) => floor.psnrDb));
  const errors = pairs.map((_, i) =>
    Math.min(...floors.map((floor) => 10 ** (-(floor.perImagePsnrDb?.[i] ?? floor.psnrDb) / 10))),
  );
  return {
    aboveFloorDb: mean(pairs.map((pair) => pair.psnrDb)) - highest,
    share: mean(pairs.map((pair, i) => Math.min(1, Math.max(0, (errors[i]! - pair.mse) / errors[i]!)))),
  };
}
