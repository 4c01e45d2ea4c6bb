import type { Observation } from "../../fl/index.ts";
import type { Model } from "../../nn/index.ts";
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
export function chooseLabels(plan: LabelPlan & { readonly settings: LabelSettings }): Promise<LabelStrategy>;
/** As above with the rule "paper". */
export function chooseLabels(
  model: Model,
  observation: Observation,
  batchSize: number,
  settings: Pick<LabelSettings, "labels">,
): LabelStrategy;
export function chooseLabels(
  plan: Model | (LabelPlan & { readonly settings: LabelSettings }),
  observation?: Observation,
  batchSize?: number,
  settings?: Pick<LabelSettings, "labels">,
): LabelStrategy | Promise<LabelStrategy> {
  if ("observation" in plan) return choose(plan);
  const { update, global, labels } = observation!;
  if (labels) return granted(labels, settings!.labels);
  const evidence = { head: plan.head, update, global, batchSize: batchSize!, classes: plan.classes };
  const { rule, ...guess } = inferLabels("paper", evidence);
  return { ...guess, rule, how: settings!.labels };
}

async function choose(plan: LabelPlan & { readonly settings: LabelSettings }): Promise<LabelStrategy> {
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
