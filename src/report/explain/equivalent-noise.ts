import type { NoisePart } from "../../audit/index.ts";
import { mean } from "./summary.ts";

/**
 * The strength of noise on the private images that moves the gradient as far: read off the mean curve of the cosine distance.
 *
 * Straight between the curve's points on log axes. null where the curve does not reach that far or cannot be read;
 * 0 below its first point.
 */
export function equivalentNoise({ full }: NoisePart, cosineDistance: number): number | null {
  const curve = full
    .filter(({ strength, cosine }) => strength > 0 && cosine.length > 0)
    .map(({ strength, cosine }) => ({ strength, distance: mean(cosine) }));
  if (curve.length === 0) return null;
  if (cosineDistance <= curve[0]!.distance) return 0;
  const above = curve.findIndex(({ distance }) => distance >= cosineDistance);
  if (above <= 0) return null;
  const [low, high] = [curve[above - 1]!, curve[above]!];
  if (low.distance <= 0) return null;
  const share = Math.log(cosineDistance / low.distance) / Math.log(high.distance / low.distance);
  return low.strength * (high.strength / low.strength) ** share;
}
