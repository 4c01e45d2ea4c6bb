import type { Observation } from "../../fl/index.ts";
import type { Model } from "../../nn/index.ts";
import type { AttackSettings } from "../settings.ts";
import { inferLabels } from "./paper.ts";

/** The labels an attack works with. */
export interface LabelStrategy {
  /** granted: true and fixed; inferred: from the update and fixed; joint: inferred, then optimised with the images. */
  readonly how: "granted" | "inferred" | "joint";
  /** B classes, ascending: what the attack starts from. */
  readonly labels: readonly number[];
  /** In words, for the ledger. */
  readonly about: string;
}

/** True labels where the observation holds them, else labels inferred from the update; only those may be optimised. */
export function chooseLabels(
  model: Model,
  { labels, update }: Observation,
  batchSize: number,
  settings: Pick<AttackSettings, "labels">,
): LabelStrategy {
  if (labels) {
    return {
      how: "granted",
      labels,
      about: `true labels (granted); the setting labels = ${settings.labels} does not apply`,
    };
  }
  return {
    how: settings.labels,
    labels: inferLabels(update[model.head.weight]!, batchSize),
    about: `inferred from the gradient of ${model.head.weight}${settings.labels === "joint" ? ", then optimised with the images" : ""}`,
  };
}
