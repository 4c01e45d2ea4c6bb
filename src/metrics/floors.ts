import { mean } from "./average.ts";
import { checkImages, type Images } from "./images.ts";
import { psnrDb } from "./mse.ts";
import { ssim, ssimFits } from "./ssim.ts";

/** What an image that shows nothing private would score: the mean over the true images of its PSNR and SSIM. */
export interface Floor {
  readonly psnrDb: number;
  /** null when the images are smaller than SSIM's window (11 × 11). */
  readonly ssim: number | null;
  /** PSNR per true image, in the order of the batch, so that each image can be compared with its own floor. */
  readonly perImagePsnrDb: readonly number[];
}

/** The floors that need no attack; the run adds `mismatchedGradient`, the attack's own score on another batch's update. */
export interface Floors {
  readonly flatGrey: Floor;
  readonly flatMean: Floor;
  /** Absent for a batch of one, whose mean is the private image itself. */
  readonly batchMean?: Floor;
}

/**
 * Scores three images that show no single private image, as if each were every reconstruction of the batch.
 *
 * flatGrey: every pixel 0.5; what anybody can send without looking.
 * flatMean: per channel the mean over all pixels of the true batch; what knowing the batch's average colour is worth.
 * batchMean: per pixel the mean over the true batch; what knowing the average picture is worth.
 * truth: [B,C,H,W] in [0,1]. One image for all, so one-to-one and many-to-one agree.
 * flatMean.mse ≤ flatGrey.mse and batchMean.mse ≤ flatMean.mse when averaged over the batch (the mean is the least-squares
 * constant); the mean of the PSNRs may still order differently.
 * Throws FedleakError when a pixel is not a number in [0,1].
 * Source: DESIGN "Floors"; which flat image is our choice, so both are given under their own names.
 */
export function floors(truth: Images): Floors {
  checkImages("floors", truth);
  const [count, channels, height, width] = truth.shape as readonly [number, number, number, number];
  const area = height * width;
  const batchMean = averageImage(truth); // [C,H,W]
  const colour = Array.from({ length: channels }, (_, c) => mean(batchMean.slice(c * area, (c + 1) * area))); // [C]
  const flatGrey = floor(
    truth,
    batchMean.map(() => 0.5), // 0.5: middle of the range
  );
  const flatMean = floor(
    truth,
    batchMean.map((_, i) => colour[Math.floor(i / area)]!),
  );
  return count === 1 ? { flatGrey, flatMean } : { flatGrey, flatMean, batchMean: floor(truth, batchMean) };
}

/** Scores one image [C,H,W] against every true image. */
function floor(truth: Images, image: readonly number[]): Floor {
  const data = new Float32Array(truth.data.length);
  for (let start = 0; start < data.length; start += image.length) data.set(image, start);
  const repeated: Images = { dtype: "float32", shape: truth.shape, data };
  const perImagePsnrDb = psnrDb(truth, repeated);
  return {
    psnrDb: mean(perImagePsnrDb),
    ssim: ssimFits(truth) ? mean(ssim(truth, repeated)) : null,
    perImagePsnrDb,
  };
}

/** Mean over the batch, summed in float64: [B,C,H,W] → [C,H,W]. */
function averageImage(truth: Images): number[] {
  const count = truth.shape[0]!;
  const size = truth.data.length / count;
  return Array.from({ length: size }, (_, k) => {
    let sum = 0;
    for (let m = 0; m < count; m++) sum += truth.data[m * size + k]!;
    return sum / count;
  });
}
