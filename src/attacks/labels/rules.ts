import { unknownName } from "../../util/index.ts";
import { counts } from "./counts.ts";
import { idlg } from "./idlg.ts";
import { ilrg } from "./ilrg.ts";
import { headInversion } from "./inversion/rule.ts";
import { llg } from "./llg.ts";
import { paper } from "./paper.ts";
import type { Rule } from "./types.ts";
import { yin } from "./yin.ts";

/** All rules by name; "auto" is not one of them, but the choice of one. */
export const RULES = {
  paper,
  idlg,
  yin,
  llg,
  ilrg,
  counts,
  "head-inversion": headInversion,
} as const satisfies Readonly<Record<string, Rule>>;

export type RuleName = keyof typeof RULES;

/** A rule, or "auto" for the one that fits the evidence. */
export type LabelRule = RuleName | "auto";

export const LABEL_RULES: readonly LabelRule[] = ["auto", ...(Object.keys(RULES) as RuleName[])];

/** The name as a rule's; throws FedleakError, with a suggestion, when there is none. */
export function parseLabelRule(name: string): LabelRule {
  return (LABEL_RULES as readonly string[]).includes(name)
    ? (name as LabelRule)
    : unknownName("labels", "rule", name, LABEL_RULES);
}
