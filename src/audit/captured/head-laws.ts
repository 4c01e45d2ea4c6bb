import { type Finding, found, short } from "./finding.ts";
import type { LayerRow } from "./layer-rows.ts";
import { normOf } from "./layer-rows.ts";
import type { CapturedUpdate } from "./read.ts";

/**
 * Whether the head's gradient is one of softmax and cross-entropy.
 *
 * Probabilities and labels both sum to 1, so Σ_j ∂L/∂W[j,d] = 0 for each d and Σ_j ∂L/∂b_j = 0. ∂L/∂b_j is the mean of
 * p_j − y_j: within ±1, and Σ_j |∂L/∂b_j| ≤ 2. The sums are told relative to what independent entries would give.
 */
export function headLaws({ network, estimate, manifest }: CapturedUpdate, rows: readonly LayerRow[]): Finding[] {
  const { head, classes } = network;
  const [weight, bias] = [
    estimate.update[head.weight],
    head.bias === undefined ? undefined : estimate.update[head.bias],
  ];
  const without =
    head.bias === undefined ? [found("head", "note", "the last layer has no bias: labels are harder to infer")] : [];
  if (manifest.optimiser.name !== "sgd") return without;
  const findings: Finding[] = [...without];
  for (const [name, t] of [
    [head.weight, weight],
    [head.bias, bias],
  ] as const) {
    const norm = t ? normOf(t.data) : 0;
    if (!t || !(norm > 0) || !Number.isFinite(norm)) continue;
    const off = normOf(columnSums(t.data, classes)) / norm;
    const { rounding } = rows.find((row) => row.name === name)!;
    const limit =
      SUM_LIMIT +
      ROUNDING_MARGIN * rounding +
      (manifest.localSteps > 1 && manifest.optimiser.weightDecay > 0 ? SUM_LIMIT : 0);
    findings.push(
      off <= limit
        ? found(
            "head-sum",
            "passed",
            `${name} sums to zero over the classes, as cross-entropy makes it (${short(off)})`,
          )
        : found(
            "head-sum",
            "broken",
            `${name} does not sum to zero over the classes, as it must with softmax and cross-entropy (${short(off)}, at most ${short(limit)}): another loss, a weight decay that was not told, noise, or weights of another round`,
          ),
    );
  }
  if (bias && estimate.scaled && manifest.optimiser.clip === null) findings.push(...sizeLaw(bias.data));
  return findings;
}

function sizeLaw(bias: Float32Array): Finding[] {
  const total = bias.reduce((sum, v) => sum + Math.abs(v), 0);
  if (!(total > MOST * (1 + MARGIN))) return [];
  const text = `the gradient of the last bias is too large: Σ|db| = ${short(total)}, and cross-entropy gives at most 2`;
  return [
    found(
      "head-size",
      "broken",
      `${text}: the learning rate or the number of steps is another, or the weights are of another round`,
    ),
  ];
}

const SUM_LIMIT = 1e-2; // independent entries give 1, float32 sums 1e-6; our choice
const ROUNDING_MARGIN = 10; // our choice
const MOST = 2; // of Σ_j |p_j − y_j|
const MARGIN = 0.01; // our choice, for rounding

/** Σ_j over the first axis: [N,…] → […] */
function columnSums(data: Float32Array, classes: number): Float64Array {
  const width = data.length / classes;
  const sums = new Float64Array(width);
  for (let i = 0; i < data.length; i++) sums[i % width]! += data[i]!;
  return sums;
}
