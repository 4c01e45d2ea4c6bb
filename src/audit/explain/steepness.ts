import { pairOneToOne } from "../../metrics/index.ts";
import { clamped, type Tensor } from "../../tensor/index.ts";
import type { Steepness } from "./schema.ts";

type Images = Tensor<"float32">;

/** A candidate batch and the private one, laid beside each other image by image. */
export interface Offset {
  /** x′ − x, the private images' order: B·C·H·W numbers. */
  readonly difference: Float64Array;
  /** For each private image the index of its candidate. */
  readonly pairing: readonly number[];
}

/**
 * x′ − x with every private image paired with a candidate of its own (least summed squared error).
 *
 * truth [B,C,H,W] in [0,1]; candidates [R,C,H,W], R ≥ B, any finite values: they are clamped for the pairing, not for
 * the difference.
 */
export function offsetOf(truth: Images, candidates: Images): Offset {
  const pairing = pairOneToOne(truth, clamped(candidates));
  const size = truth.data.length / truth.shape[0]!;
  const difference = Float64Array.from(truth.data, (x, i) => {
    const at = pairing[Math.floor(i / size)]! * size + (i % size);
    return candidates.data[at]! - x;
  });
  return { difference, pairing };
}

/**
 * μ, L and their ratio at one point: how well a step along −D brings x′ to x.
 *
 * μ = ⟨x′−x, D⟩/‖x′−x‖², L = ‖D‖²/‖x′−x‖²; then ‖x′−ηD−x‖² = (1 − 2ημ + η²L)·‖x′−x‖² exactly, which is below
 * ‖x′−x‖² for 0 < η < 2μ/L and least, a share 1 − μ²/L = 1 − alignment² of it, at η = μ/L.
 * gradient: D [R,C,H,W], in the order of the candidates that `offset` was made of. null where ‖x′−x‖ or ‖D‖ is 0 or D is not finite.
 * Source: FedLeak, Equations 4 to 6, which ask for bounds along the whole run; here they are taken as equalities at each point.
 */
export function steepnessAt({ difference, pairing }: Offset, gradient: Images): Steepness {
  const size = difference.length / pairing.length;
  let [inner, squares, slope] = [0, 0, 0];
  for (let i = 0; i < difference.length; i++) {
    const d = gradient.data[pairing[Math.floor(i / size)]! * size + (i % size)]!;
    const e = difference[i]!;
    inner += e * d;
    squares += e * e;
    slope += d * d;
  }
  const apart = squares > 0 && Number.isFinite(slope);
  const sound = apart && slope > 0;
  return {
    mu: apart ? inner / squares : null,
    l: apart ? slope / squares : null,
    ratio: sound ? inner / slope : null,
    alignment: sound ? inner / Math.sqrt(squares * slope) : null,
  };
}

/** √(mean of squares) of a difference. */
export function rmsOf(difference: Float64Array): number {
  return Math.sqrt(difference.reduce((sum, e) => sum + e * e, 0) / difference.length);
}
