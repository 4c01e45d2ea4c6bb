import { fail } from "../util/index.ts";
import { checkTwins, type Images } from "./images.ts";
import { planeOf, planeSimilarity, WINDOW } from "./ssim-plane.ts";

/**
 * Structural similarity of each image of `a` to the image of the same index in `b`.
 *
 * Per channel and window position: ssim = (2 μa μb + C1)(2 σab + C2) / ((μa² + μb² + C1)(σa² + σb² + C2)), where
 * μ, σ² and σab are moments weighted by an 11×11 Gaussian of σ 1.5 that sums to 1 (population covariance, no n/(n−1)),
 * C1 = 0.01², C2 = 0.03², data range 1. Only positions whose window lies inside the image count:
 * ssim_m = mean over C × (H−10) × (W−10) positions.
 * a, b: [M,C,H,W] in [0,1], H and W ≥ 11 → M numbers in [−1,1]; symmetric; 1 for equal images.
 * Throws FedleakError when H or W is under 11, the shapes differ or a pixel is not a number in [0,1].
 * Source: Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment", IEEE TIP 13(4), 2004; colour as the mean over
 * channels, as scikit-image does (gaussian_weights=True, sigma=1.5, use_sample_covariance=False).
 */
export function ssim(a: Images, b: Images): number[] {
  checkTwins("ssim", a, b);
  const [count, channels, height, width] = a.shape as readonly [number, number, number, number];
  if (!ssimFits(a)) {
    fail({
      who: "ssim",
      must: `images must be at least ${WINDOW} × ${WINDOW} pixels, the size of the window`,
      got: `${height} × ${width}`,
      remedy: "Read PSNR instead: SSIM is not defined for smaller images.",
    });
  }
  const area = height * width;
  return Array.from({ length: count }, (_, m) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) {
      const plane = m * channels + c;
      const [p, q] = [planeOf(a.data, plane, area), planeOf(b.data, plane, area)]; // [H,W]
      sum += planeSimilarity(p, q, height, width).similarity;
    }
    return sum / channels;
  });
}

/** Whether SSIM is defined for these images [M,C,H,W]: its window must fit inside. */
export function ssimFits(images: Images): boolean {
  return images.shape[2]! >= WINDOW && images.shape[3]! >= WINDOW;
}
