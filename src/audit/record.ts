import { fail } from "../util/index.ts";
import { complaints } from "./record-laws.ts";
import { RECORD_FORMAT, RECORD_VERSION, type RunRecord, runRecord } from "./record-schema.ts";

/**
 * Reads the text of a record and checks it; `file` is only named in errors.
 *
 * Throws FedleakError when the text is no JSON, no fedleak record, of another version, has unknown or missing entries, or
 * contradicts itself: numbers without their assumptions, a finished run without results, means that are not their rows'.
 */
export function parseRecord(text: string, file: string): RunRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    fail({
      who: file,
      must: "a record must be JSON",
      got: (cause as Error).message,
      remedy: "Was the file cut short? Resume the run or run it again.",
      cause,
    });
  }
  return checkRecord(value, file);
}

/** Checks a record in memory as `parseRecord` does; call it before writing one. */
export function checkRecord(value: unknown, file: string): RunRecord {
  checkHeader(value, file);
  const parsed = runRecord.safeParse(value);
  const found = parsed.success
    ? complaints(parsed.data)
    : parsed.error.issues.map((issue) => `${issue.path.join(".") || "record"}: ${issue.message}`);
  if (!parsed.success || found.length > 0) {
    return fail({
      who: file,
      must: `a record must follow ${RECORD_FORMAT} version ${RECORD_VERSION}`,
      got: found.slice(0, 5).join("; "), // five are enough to see what is wrong
      remedy: "Write it with the same version of fedleak that reads it, unedited.",
    });
  }
  return parsed.data;
}

/** Tells "not a record" and "another version" apart before the details are looked at. */
function checkHeader(value: unknown, file: string): void {
  const header = typeof value === "object" && value !== null ? (value as Partial<RunRecord>) : {};
  if (header.format !== RECORD_FORMAT) {
    fail({
      who: file,
      must: `"format" must be "${RECORD_FORMAT}"`,
      got: JSON.stringify(header.format) ?? "none",
      remedy: "Pass the record.json of a run.",
    });
  }
  if (header.version !== RECORD_VERSION) {
    fail({
      who: file,
      must: `"version" must be ${RECORD_VERSION}`,
      got: JSON.stringify(header.version) ?? "none",
      remedy: "Read it with the version of fedleak that wrote it.",
    });
  }
}
