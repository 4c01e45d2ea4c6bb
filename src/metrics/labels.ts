import { fail } from "../util/index.ts";

export interface LabelScore {
  /** Share of labels found, counted per class, in [0,1]. */
  readonly countAccuracy: number;
  /** Whether both are the same multiset. */
  readonly exact: boolean;
}

/**
 * Compares inferred labels with the true ones as multisets: which classes, how often, in any order.
 *
 * countAccuracy = Σ_c min(true_c, inferred_c) / max(B, B′), true_c and inferred_c the counts of class c.
 * trueLabels: B ≥ 1 class indices; inferredLabels: B′ class indices → countAccuracy 1 exactly when `exact`.
 * Throws FedleakError when a label is not an integer ≥ 0, or there is no true label.
 * Source: label-count accuracy as used for batches by Wainakh et al., "User-level label leakage from gradients" (LLG), PoPETs 2022.
 * Differs: divides by the longer list, so that guessing more labels than there are cannot pay; the same when B = B′.
 */
export function scoreLabels(trueLabels: readonly number[], inferredLabels: readonly number[]): LabelScore {
  for (const label of [...trueLabels, ...inferredLabels]) {
    if (!Number.isInteger(label) || label < 0) {
      fail({
        who: "labels",
        must: "every label must be an integer ≥ 0",
        got: `${label}`,
        remedy: "Pass class indices; soft labels need an argmax first.",
      });
    }
  }
  if (trueLabels.length === 0) {
    fail({
      who: "labels",
      must: "there must be at least one true label",
      got: "none",
      remedy: "Pass the batch's labels.",
    });
  }
  const inferred = counts(inferredLabels);
  const overlap = [...counts(trueLabels)].reduce((sum, [label, n]) => sum + Math.min(n, inferred.get(label) ?? 0), 0);
  const longer = Math.max(trueLabels.length, inferredLabels.length);
  return { countAccuracy: overlap / longer, exact: overlap === longer };
}

function counts(labels: readonly number[]): ReadonlyMap<number, number> {
  const out = new Map<number, number>();
  for (const label of labels) out.set(label, (out.get(label) ?? 0) + 1);
  return out;
}
