import { mean } from "./average.ts";
import { checkImages, type Images } from "./images.ts";
import { msSsim } from "./ms-ssim.ts";
import { psnrDb } from "./mse.ts";
import { ssim, ssimFits } from "./ssim.ts";

/** What an image that shows nothing private would score: the mean over the true images of its PSNR, SSIM and MS-SSIM. */
export interface Floor {
  readonly psnrDb: number;
  /** null when the images are smaller than SSIM's window (11 × 11). */
  readonly ssim: number | null;
  /** null as SSIM. */
  readonly msSsim: number | null;
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
  const { flatGrey, flatMean, batchMean } = floorImages(truth);
  const measured = { flatGrey: floor(truth, flatGrey), flatMean: floor(truth, flatMean) };
  return batchMean === undefined ? measured : { ...measured, batchMean: floor(truth, batchMean) };
}

/** The images that `floors` scores, each as often as there are true images: [B,C,H,W]. Throws as `floors` does. */
export function floorImages(truth: Images): FloorImages {
  checkImages("floors", truth);
  const [count, channels, height, width] = truth.shape as readonly [number, number, number, number];
  const area = height * width;
  const batchMean = averageImage(truth); // [C,H,W]
  const colour = Array.from({ length: channels }, (_, c) => mean(batchMean.slice(c * area, (c + 1) * area))); // [C]
  const flat = {
    flatGrey: repeated(
      truth,
      batchMean.map(() => 0.5), // 0.5: middle of the range
    ),
    flatMean: repeated(
      truth,
      batchMean.map((_, i) => colour[Math.floor(i / area)]!),
    ),
  };
  return count === 1 ? flat : { ...flat, batchMean: repeated(truth, batchMean) };
}

export interface FloorImages {
  readonly flatGrey: Images;
  readonly flatMean: Images;
  /** Absent for a batch of one, whose mean is the private image itself. */
  readonly batchMean?: Images;
}

/** One image [C,H,W] for every true image. */
function repeated(truth: Images, image: readonly number[]): Images {
  const data = new Float32Array(truth.data.length);
  for (let start = 0; start < data.length; start += image.length) data.set(image, start);
  return { dtype: "float32", shape: truth.shape, data };
}

/** Scores one image, given once for each true image, against all of them. */
function floor(truth: Images, images: Images): Floor {
  const perImagePsnrDb = psnrDb(truth, images);
  const fits = ssimFits(truth);
  return {
    psnrDb: mean(perImagePsnrDb),
    ssim: fits ? mean(ssim(truth, images)) : null,
    msSsim: fits ? mean(msSsim(truth, images)) : null,
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
