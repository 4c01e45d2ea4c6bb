import { fail } from "../../util/index.ts";
import { chooseRule } from "./auto.ts";
import { type LabelRule, RULES, type RuleName } from "./rules.ts";
import type { LabelEvidence } from "./types.ts";

/** The labels that a rule holds for most likely. */
export interface LabelGuess {
  /** B classes, ascending. */
  readonly labels: readonly number[];
  /** The rule that was used; of "auto", the one it chose. */
  readonly rule: RuleName;
  /** In words, for the ledger. */
  readonly about: string;
}

/**
 * The labels of a batch as a rule infers them from the gradient of the last layer: B classes, ascending.
 *
 * Pure: the same evidence gives the same labels. Throws FedleakError when the model or the evidence lacks what the rule
 * needs, or the gradient is not finite.
 */
export function inferLabels(rule: LabelRule, evidence: LabelEvidence): LabelGuess {
  checkFinite(evidence);
  const used = rule === "auto" ? chooseRule(evidence) : rule;
  const labels = RULES[used].count(evidence).flatMap((count, label) => new Array<number>(count).fill(label));
  const how = used === rule ? `rule ${rule}` : `rule ${used}, chosen by ${rule}`;
  return { labels, rule: used, about: `inferred from the gradient of ${evidence.head.weight} (${how})` };
}

function checkFinite({ head, update }: LabelEvidence): void {
  const broken = [head.weight, head.bias].find((name) => name && update[name]?.data.some((v) => !Number.isFinite(v)));
  if (broken !== undefined) {
    fail({
      who: "labels",
      must: "every number of the last layer's gradient must be finite",
      got: `NaN or infinity in ${broken}`,
      remedy: "Grant the labels, or capture the update again.",
    });
  }
}
