import { type Key, key } from "../util/index.ts";
import { mean } from "./average.ts";
import { bootstrapMean95 } from "./bootstrap.ts";
import { type Images, take } from "./images.ts";
import { msSsim } from "./ms-ssim.ts";
import { decibels, mse } from "./mse.ts";
import { pairManyToOne, pairOneToOne } from "./pairing.ts";
import { ssim, ssimFits } from "./ssim.ts";

/** One true image and the reconstruction it was paired with. */
export interface PairScore {
  /** Index into the true batch. */
  readonly trueIndex: number;
  /** Index into the reconstructions. */
  readonly reconstructionIndex: number;
  readonly mse: number;
  readonly psnrDb: number;
  /** null when the images are smaller than SSIM's window (11 × 11). */
  readonly ssim: number | null;
  /** null as SSIM. */
  readonly msSsim: number | null;
}

/** One value under each of the two pairings. */
export interface PerPairing<T> {
  /** The headline: every reconstruction is used at most once. */
  readonly oneToOne: T;
  /** The paper's rule: per true image the best reconstruction, reuse allowed. */
  readonly manyToOne: T;
}

/** Means over the true images and the rows they are means of. */
export interface ReconstructionScore {
  readonly psnrDb: PerPairing<number>;
  /** 95 % bootstrap interval of the mean PSNR over the images; null for a single image. */
  readonly psnrInterval95Db: PerPairing<readonly [low: number, high: number] | null>;
  readonly ssim: PerPairing<number | null>;
  readonly msSsim: PerPairing<number | null>;
  readonly mse: PerPairing<number>;
  /** One row per true image, in the order of the true batch. */
  readonly pairs: PerPairing<readonly PairScore[]>;
}

/**
 * Scores reconstructed images against the true batch under both pairings.
 *
 * Mean PSNR = mean over true images of each image's PSNR (never the PSNR of the mean MSE); SSIM, MS-SSIM and MSE likewise.
 * truth: [B,C,H,W], reconstruction: [R,C,H,W], both in [0,1], R ≥ B → B rows per pairing.
 * draws: what the intervals' resamples are drawn from; which key it is moves their ends by a few per cent of their width.
 * manyToOne.mse ≤ oneToOne.mse row by row, PSNR the other way round; SSIM may go either way, since pairs are made by MSE.
 * Throws FedleakError when R < B, the image shapes differ, or a pixel is NaN, infinite or outside [0,1].
 * Source: protocol of the FedLeak paper (many-to-one); one-to-one is ours, see DESIGN "Scoring".
 */
export function scoreReconstruction(truth: Images, reconstruction: Images, draws: Key = key(0)): ReconstructionScore {
  const oneToOne = rows(truth, reconstruction, pairOneToOne(truth, reconstruction));
  const manyToOne = rows(truth, reconstruction, pairManyToOne(truth, reconstruction));
  const both = <T>(summarise: (pairs: readonly PairScore[]) => T): PerPairing<T> => ({
    oneToOne: summarise(oneToOne),
    manyToOne: summarise(manyToOne),
  });
  return {
    psnrDb: both((pairs) => mean(pairs.map((pair) => pair.psnrDb))),
    psnrInterval95Db: both((pairs) => bootstrapMean95([pairs.map((pair) => pair.psnrDb)], draws)),
    ssim: both((pairs) => meanOrNull(pairs.map((pair) => pair.ssim))),
    msSsim: both((pairs) => meanOrNull(pairs.map((pair) => pair.msSsim))),
    mse: both((pairs) => mean(pairs.map((pair) => pair.mse))),
    pairs: { oneToOne, manyToOne },
  };
}

/** Rows of one pairing: true image i with reconstruction pairing[i]. */
function rows(truth: Images, reconstruction: Images, pairing: readonly number[]): PairScore[] {
  const paired = take(reconstruction, pairing); // [B,C,H,W]
  const errors = mse(truth, paired);
  const fits = ssimFits(truth);
  const similarities = fits ? ssim(truth, paired) : undefined;
  const multiScale = fits ? msSsim(truth, paired) : undefined;
  return errors.map((error, i) => ({
    trueIndex: i,
    reconstructionIndex: pairing[i]!,
    mse: error,
    psnrDb: decibels(error),
    ssim: similarities ? similarities[i]! : null,
    msSsim: multiScale ? multiScale[i]! : null,
  }));
}

function meanOrNull(values: readonly (number | null)[]): number | null {
  return values.every((value) => value !== null) ? mean(values) : null;
}
