import { resizeBicubic } from "../../graph/index.ts";
import type { Shape } from "../../tensor/index.ts";
import type { AttackSettings } from "../settings.ts";
import { pixels } from "./pixels.ts";
import type { Parameterisation } from "./types.ts";

/**
 * Smaller images are optimised, and what the model sees is their bicubic enlargement: fewer unknowns, no fine detail.
 *
 * shape [B,C,H,W]; unknown [B,C,⌈H/downscale⌉,⌈W/downscale⌉], downscale ≥ 1, started and clamped as pixels are. Images may
 * leave [0,1] a little, since the cubic kernel overshoots at edges.
 * Source: Yue et al., "Gradient obfuscation gives a false sense of security in federated learning", USENIX Security 2023,
 * with downscale 4.
 */
export function lowResolution(
  shape: Shape,
  { downscale, ...settings }: Pick<AttackSettings, "init" | "clamp" | "downscale">,
): Parameterisation {
  const [b, c, h, w] = shape as readonly [number, number, number, number];
  const { imagesIn: _, ...small } = pixels([b, c, Math.ceil(h / downscale), Math.ceil(w / downscale)], settings);
  return {
    ...small,
    decode: (tensors) => ({ ...small.decode(tensors), images: resizeBicubic(small.decode(tensors).images, [h, w]) }),
  };
}
