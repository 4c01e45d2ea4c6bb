import { float32, type Tensor } from "../tensor/index.ts";
import type { AttackSettings } from "./settings.ts";

/** Images put into [0,1], then median-filtered unless their shorter side is under `medianFilterFrom`: [B,C,H,W] → same. */
export function finish(
  images: Tensor<"float32">,
  { medianFilter, medianFilterFrom }: Pick<AttackSettings, "medianFilter" | "medianFilterFrom">,
): Tensor<"float32"> {
  const clamped = float32(
    images.shape,
    images.data.map((v) => Math.min(1, Math.max(0, v))),
  );
  const [h, w] = images.shape.slice(2) as [number, number];
  return medianFilter > 1 && Math.min(h, w) >= medianFilterFrom ? median(clamped, medianFilter) : clamped;
}

/**
 * Each pixel replaced by the median of the width × width window around it, channel by channel.
 *
 * images [B,C,H,W]; width odd. Beyond the border the nearest pixel is repeated: it adds no value that the image lacks
 * and leaves flat edges flat, as OpenCV's medianBlur does (zeros, another habit, would darken corners).
 * Source: the 5 × 5 filter of FedLeak's released program; its border rule is not described, so this one is our choice.
 */
export function median(images: Tensor<"float32">, width: number): Tensor<"float32"> {
  const [b, c, h, w] = images.shape as [number, number, number, number];
  const reach = (width - 1) / 2;
  const out = new Float32Array(images.data.length);
  const window = new Float32Array(width * width);
  for (let plane = 0; plane < b * c; plane++) {
    const source = images.data.subarray(plane * h * w, (plane + 1) * h * w);
    for (let i = 0; i < h; i++) {
      for (let j = 0; j < w; j++) {
        let n = 0;
        for (let p = i - reach; p <= i + reach; p++) {
          for (let q = j - reach; q <= j + reach; q++) window[n++] = source[within(p, h) * w + within(q, w)]!;
        }
        out[plane * h * w + i * w + j] = window.sort()[(n - 1) / 2]!; // typed arrays sort by number
      }
    }
  }
  return float32(images.shape, out);
}

/** The index in 0 … extent − 1 nearest to `index`. */
function within(index: number, extent: number): number {
  return Math.min(extent - 1, Math.max(0, index));
}
