import { row, shapeText, type Tensor } from "../tensor/index.ts";
import { fail } from "../util/index.ts";

/**
 * How far each image of `b` is from the one of the same index in `a`, in the features of a network.
 *
 * d_m = ‖f(a_m) − f(b_m)‖₂ / ‖f(a_m)‖₂, f the input of the network's last linear layer.
 * a, b: features [M,D] → M numbers ≥ 0, 0 for equal features; null where a's features are all 0, or a number is not finite.
 * Not symmetric: `a` is the private image. Without its floor the number says little: a network that gives any two images
 * nearly the same features, an untrained one for example, makes it small for all.
 * Throws FedleakError when the shapes differ.
 * Source: definition; the distance in the audited network's own features is one that its owner has at hand.
 */
export function featureDistance(a: Tensor<"float32">, b: Tensor<"float32">): (number | null)[] {
  if (a.shape.length !== 2 || shapeText(a.shape) !== shapeText(b.shape)) {
    fail({
      who: "feature distance",
      must: "both must be features [M,D] of one shape",
      got: `${shapeText(a.shape)} and ${shapeText(b.shape)}`,
      remedy: "Pair the images first.",
    });
  }
  return Array.from({ length: a.shape[0]! }, (_, m) => {
    const [p, q] = [row(a, m).data, row(b, m).data];
    const length = norm(p);
    const distance = norm(Float64Array.from(p, (value, k) => value - q[k]!)) / length;
    return length > 0 && Number.isFinite(distance) ? distance : null;
  });
}

function norm(v: Float32Array | Float64Array): number {
  let sum = 0;
  for (const value of v) sum += value * value;
  return Math.sqrt(sum);
}
