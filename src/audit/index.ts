export type { IterationEvent, RunEvent, Watcher } from "./events.ts";
export * from "./explain/index.ts";
export { profileAttack } from "./profile.ts";
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
export { completeSpec, MOST_THREADS, type RunRequest, type RunSpec } from "./spec.ts";
export { verifyGoldenFile } from "./verify-file.ts";
export { type Evaluator, type GoldenErrors, verifyGolden } from "./verify-golden.ts";
export { versions } from "./versions.ts";
