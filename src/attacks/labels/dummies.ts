/** What the model's outputs on dummy images say about its outputs on the client's. */
import { fail } from "../../util/index.ts";
import type { LabelEvidence } from "./types.ts";

/**
 * The probability that the model gives each class in the mean over images like the client's, from dummy images.
 *
 * p̄ = w·m + (1−w)/N, m the mean over the dummies, w = `dummyTrust`. For an untrained net p̄ is close to m; a trained one
 * makes classes about as probable as they are frequent, and 1/N stands for that.
 * Result: N numbers with sum 1. Source: our choice.
 */
export function meanProbability(evidence: LabelEvidence): number[] {
  const { mean } = kindMeans(evidence);
  const trust = dummyTrust(evidence);
  return mean.map((p) => trust * p + (1 - trust) / evidence.classes);
}

/**
 * How far dummies can stand for the client's images, in [0,1]: near 1 where the outputs hardly depend on the image.
 *
 * w = u⁴/(u⁴ + (2e)⁴), u the distance of the dummies' mean from uniform, e that between the means of noise and of smooth
 * images; 1 where both vanish. Source: our choice.
 */
export function dummyTrust(evidence: LabelEvidence): number {
  const { noise, smooth, mean } = kindMeans(evidence);
  const depth = Math.hypot(...mean.map((p) => p - 1 / evidence.classes)) ** 4;
  const doubt = (2 * Math.hypot(...noise.map((p, j) => p - smooth[j]!))) ** 4;
  return depth + doubt === 0 ? 1 : depth / (depth + doubt);
}

/**
 * How much the probabilities of one dummy image stray from their kind's mean: √(Σ_j Var p_j), ≥ 0.
 *
 * Σ_i p_ij of a batch then strays from its mean by √B times that, in counts.
 */
export function dummySpread(evidence: LabelEvidence): number {
  const { noise, smooth } = kindMeans(evidence);
  const { data, shape } = evidence.probabilities!; // kindMeans has checked them
  const rows = shape[0]!;
  let squares = 0;
  data.forEach((p, at) => {
    const j = at % evidence.classes;
    squares += (p - (2 * at < data.length ? noise : smooth)[j]!) ** 2;
  });
  return Math.sqrt(squares / rows);
}

function kindMeans({ probabilities, classes }: LabelEvidence): Readonly<Record<"noise" | "smooth" | "mean", number[]>> {
  const rows = probabilities?.shape[0] ?? 0;
  if (probabilities === undefined || rows < 2 || probabilities.shape[1] !== classes) {
    return fail({
      who: "labels",
      must: `the rule needs the model's ${classes} probabilities on at least 2 dummy images`,
      got: probabilities ? `[${probabilities.shape.join(",")}]` : "none",
      remedy: "Pass evidence from gatherEvidence.",
    });
  }
  const half = Math.floor(rows / 2);
  const meanOver = (from: number, to: number) =>
    Array.from({ length: classes }, (_, j) => {
      let sum = 0;
      for (let i = from; i < to; i++) sum += probabilities.data[i * classes + j]!;
      return sum / (to - from);
    });
  const [noise, smooth] = [meanOver(0, half), meanOver(rows - half, rows)];
  return { noise, smooth, mean: noise.map((p, j) => (p + smooth[j]!) / 2) };
}
