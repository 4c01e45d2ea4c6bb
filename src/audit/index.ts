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
