import {
  add,
  constantOf,
  matmul,
  mul,
  type Node,
  reshape,
  resizeBicubic,
  swapLast,
  transpose,
} from "../../graph/index.ts";

/**
 * Images as an attack that optimises smaller ones leaves them: averaged down, noisy, and enlarged again.
 *
 * images [B,C,H,W]; noise [B,C,⌈H/f⌉,⌈W/f⌉], N(0,1), and its deviation [B,1,1,1], both added at the small size, where
 * such an attack's errors are made; f ≥ 1 is `downscale`. Result [B,C,H,W], about [0,1]. f = 1 with no noise is the image.
 * Source: the low-resolution attack of Yue et al., USENIX Security 2023, whose post-processor learns to undo this.
 * Differs (our choice): Gaussian noise stands for the attack's error, so that no attack has to be run for training.
 */
export function degrade(
  images: Node,
  { downscale, noise, deviation }: { readonly downscale: number; readonly noise: Node; readonly deviation: Node },
): Node {
  const [h, w] = images.shape.slice(2) as [number, number];
  const small = averageDown(images, downscale);
  return resizeBicubic(add(small, mul(noise, deviation)), [h, w]);
}

/** The extents ⌈H/f⌉, ⌈W/f⌉ of the smaller images. */
export function smallShape([b, c, h, w]: readonly number[], downscale: number): [number, number, number, number] {
  return [b!, c!, Math.ceil(h! / downscale), Math.ceil(w! / downscale)];
}

/** Each small pixel is the mean of what it covers: [B,C,H,W] → [B,C,⌈H/f⌉,⌈W/f⌉], as R·x·Cᵀ. */
function averageDown(x: Node, downscale: number): Node {
  const [b, c, h, w] = x.shape as [number, number, number, number];
  const [, , rows, columns] = smallShape(x.shape, downscale);
  const across = reshape(matmul(reshape(x, [b * c * h, w]), swapLast(coverage(w, columns))), [b * c, h, columns]);
  const upright = reshape(transpose(across, [0, 2, 1]), [b * c * columns, h]);
  const down = reshape(matmul(upright, swapLast(coverage(h, rows))), [b * c, columns, rows]);
  return reshape(transpose(down, [0, 2, 1]), [b, c, rows, columns]);
}

/** [to,from]: which share of small pixel i is large pixel j; rows sum to 1. */
function coverage(from: number, to: number): Node {
  const ratio = from / to;
  const overlap = (i: number, j: number) =>
    Math.max(0, Math.min((i + 1) * ratio, j + 1) - Math.max(i * ratio, j)) / ratio;
  const values = Array.from({ length: to * from }, (_, k) => overlap(Math.floor(k / from), k % from));
  return constantOf([to, from], Float64Array.from(values));
}
