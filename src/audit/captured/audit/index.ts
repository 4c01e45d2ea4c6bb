export type { AuditEvent, AuditWatcher, SearchRun } from "./events.ts";
export { type AuditPictures, isAudit, type RenderAudit } from "./files.ts";
export { type AuditRecord, type AuditRow, type AuditTable, type Confidence, parseAuditRecord } from "./record.ts";
export { type AuditOptions, type AuditOutcome, resumeAudit, runAudit } from "./run.ts";
export { type AuditRequest, type AuditSpec, completeAuditSpec, MOST_SEEDS } from "./spec.ts";
