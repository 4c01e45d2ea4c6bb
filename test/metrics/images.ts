import fc from "fast-check";
import type { Images } from "../../src/metrics/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key, normal, uniform } from "../../src/util/index.ts";

/** Uniform noise images in [0,1], the same for the same seed. */
export function noise(shape: readonly number[], seed: number): Images {
  return float32(
    shape,
    uniform(
      key(seed),
      shape.reduce((p, e) => p * e, 1),
    ),
  );
}

/** `images` with Gaussian noise of the given deviation, clamped to [0,1]. */
export function disturbed(images: Images, deviation: number, seed: number): Images {
  const draws = normal(key(seed), images.data.length);
  return float32(
    images.shape,
    images.data.map((pixel, i) => Math.min(1, Math.max(0, pixel + deviation * draws[i]!))),
  );
}

/** Arbitrary batches [count,1,height,width] in [0,1] (float32 values). */
export function arbitraryImages(count: number, height: number, width: number): fc.Arbitrary<Images> {
  return fc
    .array(fc.float({ min: 0, max: 1, noNaN: true }), {
      minLength: count * height * width,
      maxLength: count * height * width,
    })
    .map((pixels) => float32([count, 1, height, width], pixels));
}
