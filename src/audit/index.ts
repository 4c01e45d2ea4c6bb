export { type Advice, type AdviceOptions, advise, type Judged, type Leak, MARGIN_DB } from "./advise.ts";
export { AUTO, BEST, chooseAttack } from "./auto.ts";
export * from "./captured/audit/index.ts";
export * from "./captured/index.ts";
export { type CompareOptions, type CompareOutcome, resumeComparison, startComparison } from "./compare/compare.ts";
export { COMPARISON_FILES, type ComparisonDocuments, isComparison, trialFolder } from "./compare/compare-folder.ts";
export type { BatchPictures } from "./compare/compare-pictures.ts";
export {
  type CellAssumptions,
  type Comparison,
  parseComparison,
  type TableLine,
  type TrialResult,
  type TrialRow,
} from "./compare/comparison.ts";
export type { CompareEvent, CompareWatcher } from "./compare/events.ts";
export { expandPlan, type TrialPlan } from "./compare/expand.ts";
export { type ComparePlan, type CompareRequest, completePlan, EVALUATIONS } from "./compare/plan.ts";
export { rowLeftBy, runTrial, type TrialTask } from "./compare/run-trial.ts";
export { tableOf } from "./compare/table.ts";
export type { IterationEvent, RunEvent, Watcher } from "./events.ts";
export * from "./explain/index.ts";
export { EXPORT_FORMATS, type Exported, type ExportRequest, exportModel } from "./export.ts";
export { type LabelStudy, type LabelStudyOptions, studyLabels } from "./labels.ts";
export type { LabelRow } from "./labels-table.ts";
export * from "./prior/index.ts";
export { profileAttack } from "./profile.ts";
export { programStore } from "./program-store.ts";
export { type RatePage, type RatingOutcome, type RenderRatePage, rateRun, writeRatePage } from "./rate.ts";
export type { Rating } from "./rate-votes.ts";
export { checkRecord, parseRecord } from "./record.ts";
export { requiredAssumptions } from "./record-laws.ts";
export {
  type Assumption,
  type CurvePoint,
  RECORD_FORMAT,
  RECORD_VERSION,
  type RunRecord,
  type RunResults,
  type RunStatus,
} from "./record-schema.ts";
export { resumeRun } from "./resume.ts";
export { type RunOptions, type RunOutcome, runAttack } from "./run.ts";
export type { RenderReport } from "./run-files.ts";
export { FILES } from "./run-folder.ts";
export * from "./secure-round/index.ts";
export { completeSpec, MOST_THREADS, type RunRequest, type RunSpec } from "./spec.ts";
export * from "./tradeoff/index.ts";
export type { AdvanceEvent, TrainEvent, TrainWatcher } from "./train/events.ts";
export { isTraining, type RenderTraining, WEIGHTS_FILE } from "./train/files.ts";
export { parseTrainRecord, type TrainRecord } from "./train/record.ts";
export { resumeTraining, runTraining, type TrainOptions, type TrainOutcome } from "./train/run.ts";
export { completeTrainSpec, TRAININGS, type TrainRequest, type TrainSpec } from "./train/spec.ts";
export { verifyGoldenFile, verifyOnnxFile } from "./verify-file.ts";
export { type Evaluator, type GoldenErrors, verifyGolden } from "./verify-golden.ts";
export { type OnnxErrors, verifyOnnx } from "./verify-onnx.ts";
export { versions } from "./versions.ts";
