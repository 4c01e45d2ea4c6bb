import { float32, type Tensor } from "./tensor.ts";

/** Every element into [0,1]; NaN stays NaN. */
export function clamped({ shape, data }: Tensor<"float32">): Tensor<"float32"> {
  return float32(
    shape,
    data.map((v) => Math.min(1, Math.max(0, v))),
  );
}

/** The place in 0 … width − 1 of the largest of `width` ≥ 1 values from `from` on; the first of equals. */
export function largestOf(values: ArrayLike<number>, from: number, width: number): number {
  let best = 0;
  for (let k = 1; k < width; k++) if (values[from + k]! > values[from + best]!) best = k;
  return best;
}
