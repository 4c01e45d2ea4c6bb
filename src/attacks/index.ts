export { CLOSED_FORMS, type ClosedForm, whyNot } from "./analytic/index.ts";
export { completeSettings, type SettingRow, settingsLedger } from "./complete-settings.ts";
export { settingsForColumns, settingsLedgerForColumns } from "./for-columns.ts";
export {
  gatherEvidence,
  inferLabels,
  LABEL_RULES,
  type LabelEvidence,
  type LabelGuess,
  type LabelPlan,
  type LabelRule,
  parseLabelRule,
} from "./labels/index.ts";
export { checkColumns, hardRows } from "./parameterisation/index.ts";
export { median } from "./postprocess.ts";
export { type AttackPlan, prepareAttack } from "./prepare.ts";
export type { Origin, Preset, PresetSettings, Sourced } from "./preset.ts";
export { ATTACKS, findAttack } from "./presets/index.ts";
export { learnedPrior } from "./prior/learned.ts";
export { checkPrior } from "./prior/need-prior.ts";
export type { Prior } from "./prior/types.ts";
export {
  type AttackFailure,
  type AttackRun,
  type AttackState,
  advance,
  type Probe,
  type Solution,
  type StepProgram,
  type StepResult,
} from "./run.ts";
export {
  type AttackSettings,
  rangeOf,
  SETTINGS,
  type SettingName,
  type SettingSpec,
  type SettingValue,
} from "./settings.ts";
