export { type ExplainPlan, explainAttack, PARTS } from "./explain.ts";
export { EXPLAIN_FILES, isExplanation, parseExplanation } from "./files.ts";
export { resumeExplanation } from "./resume.ts";
export type {
  ConvergencePart,
  ConvergencePoint,
  DampingPart,
  Explanation,
  NoiseLevel,
  NoisePart,
  PartName,
  Parts,
  SensitivityPart,
  SensitivityScope,
  Steepness,
  VariantName,
  VariantTrace,
} from "./schema.ts";
export type { ExplainEvent, ExplainOptions } from "./task.ts";
