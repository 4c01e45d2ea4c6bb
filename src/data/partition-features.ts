import type { Tensor } from "../tensor/index.ts";

/** The total variation of each image: mean |Δ rows| + mean |Δ columns|; images [M,C,H,W] → M numbers ≥ 0. */
export function imageVariation({ shape, data }: Tensor<"float32">): number[] {
  const [count, c, h, w] = shape as [number, number, number, number];
  const size = c * h * w;
  return Array.from({ length: count }, (_, i) => {
    let [rows, columns] = [0, 0];
    for (let at = i * size, end = at + size; at < end; at++) {
      const [y, x] = [Math.floor(at / w) % h, at % w];
      if (y > 0) rows += Math.abs(data[at]! - data[at - w]!);
      if (x > 0) columns += Math.abs(data[at]! - data[at - 1]!);
    }
    return rows / Math.max(1, c * (h - 1) * w) + columns / Math.max(1, c * h * (w - 1));
  });
}
