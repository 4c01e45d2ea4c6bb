export { labelSentences } from "./labels.ts";
export { renderAudit } from "./render.ts";
export { auditVerdict } from "./verdict.ts";
