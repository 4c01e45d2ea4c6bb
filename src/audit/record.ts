import { complaints } from "./record-laws.ts";
import { RECORD_FORMAT, RECORD_VERSION, type RunRecord, runRecord } from "./record-schema.ts";
import { checkStored, parseStored, type StoredKind } from "./stored-json.ts";

/**
 * Reads the text of a record and checks it; `file` is only named in errors.
 *
 * Throws FedleakError when the text is no JSON, no fedleak record, of another version, has unknown or missing entries, or
 * contradicts itself: numbers without their assumptions, a finished run without results, means that are not their rows'.
 */
export function parseRecord(text: string, file: string): RunRecord {
  return parseStored(text, file, RECORD);
}

/** Checks a record in memory as `parseRecord` does; call it before writing one. */
export function checkRecord(value: unknown, file: string): RunRecord {
  return checkStored(value, file, RECORD);
}

const RECORD: StoredKind<RunRecord> = {
  what: "a record",
  format: RECORD_FORMAT,
  version: RECORD_VERSION,
  schema: runRecord,
  laws: complaints,
  remedy: {
    damaged: "Was the file cut short? Resume the run or run it again.",
    foreign: "Pass the record.json of a run.",
  },
};
