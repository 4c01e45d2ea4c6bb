import { gatherEvidence, type LabelPlan } from "./evidence.ts";
import { inferLabels } from "./infer.ts";
import type { LabelRule, RuleName } from "./rules.ts";

/** The labels an attack works with. */
export interface LabelStrategy {
  /** granted: true and fixed; inferred: from the update and fixed; joint: inferred, then optimised with the images. */
  readonly how: "granted" | "inferred" | "joint";
  /** B classes, ascending: what the attack starts from. */
  readonly labels: readonly number[];
  /** The rule by which they were inferred. */
  readonly rule: RuleName | "granted";
  /** In words, for the ledger. */
  readonly about: string;
}

export interface LabelSettings {
  readonly labels: "inferred" | "joint";
  readonly labelRule: LabelRule;
}

/** True labels where the observation holds them, else labels inferred from the update; only those may be optimised. */
export async function chooseLabels(plan: LabelPlan & { readonly settings: LabelSettings }): Promise<LabelStrategy> {
  const { observation, settings } = plan;
  if (observation.labels) return granted(observation.labels, settings.labels);
  const evidence = await gatherEvidence(plan, settings.labelRule);
  const { labels, rule, about } = inferLabels(settings.labelRule, evidence);
  return {
    how: settings.labels,
    labels,
    rule,
    about: settings.labels === "joint" ? `${about}, then optimised with the images` : about,
  };
}

function granted(labels: readonly number[], setting: string): LabelStrategy {
  return {
    how: "granted",
    labels,
    rule: "granted",
    about: `true labels (granted); the setting labels = ${setting} does not apply`,
  };
}
