export { gatherEvidence, type LabelPlan } from "./evidence.ts";
export { inferLabels, type LabelGuess } from "./infer.ts";
export { LABEL_RULES, type LabelRule, parseLabelRule, RULES, type RuleName } from "./rules.ts";
export type { LabelEvidence, Rule } from "./types.ts";
