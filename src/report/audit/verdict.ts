import type { AuditRecord } from "../../audit/index.ts";
import { compactText, dbText, plural, signedDbText } from "../format.ts";
import { rowSentences } from "../row-verdict.ts";
import type { Verdict } from "../verdict.ts";
import { CLOSED_FORM, conclusionText } from "./conclusion.ts";
import { inRows } from "./rows.ts";

/** `1 search`, `3 searches` */
export const searchesText = (count: number): string => `${count} search${count === 1 ? "" : "es"}`;

/** How the words follow from the numbers, for the reader. */
export const AUDIT_RULE =
  "A search fits when its residual is at most half of the control's, and half of what pictures of strangers leave under the searches' labels. An image agrees when the fitting searches' pictures of it are " +
  "3 dB or more closer to each other than blank pictures and the control's are. Where private images are given, one leaks when its picture is 3 dB or more above its own highest floor. These limits are our choice. Agreement is no proof: " +
  "searches may share an error, as one that a prior brings.";

/** What an audit shows, in plain words: first whether the update leaks, then what that rests on. */
export function auditVerdict(record: AuditRecord): Verdict {
  const told = ofImages(record);
  if (record.table === undefined) return told;
  return { headline: inRows(told.headline), sentences: told.sentences.map(inRows) };
}

function ofImages(record: AuditRecord): Verdict {
  const { confidence, status } = record;
  if (!confidence) return unjudged(record);
  const { agreement, best, residual, controlResidual, fitting } = confidence;
  const { headline, meaning } = conclusionText(record, confidence);
  const seeds = record.rows.filter(({ name }) => name.startsWith("seed-")).length;
  const measured =
    best === CLOSED_FORM
      ? `The residual of ${best} is ${compactText(residual)} (0: its gradient is the update).`
      : `${searchesText(fitting.length)} of ${seeds} ${fitting.length === 1 ? "fits" : "fit"}: ${best} leaves a residual of ${compactText(residual)}, ` +
        `the control on an update of nobody ${controlResidual === null ? "failed" : compactText(controlResidual)}${strangersText(confidence)}.`;
  return {
    headline,
    sentences: [
      ...(status === "finished" ? [] : [`The audit is ${status}.`]),
      meaning,
      ...misfitSentences(record),
      measured,
      ...(agreement.length > 0 ? [agreementSentence(agreement)] : []),
      ...scoreSentences(record),
      ...(record.check.consistent
        ? []
        : ["The check found that the files contradict themselves: this verdict holds for these files only."]),
    ],
  };
}

/** What was found exactly, and is not what the manifest says of it. */
function misfitSentences({ rows, table, confidence }: AuditRecord): string[] {
  const misfits = rows.find(({ name }) => name === confidence?.best)?.misfits;
  if (!misfits) return [];
  const what = table ? "rows are" : "images are";
  const entry = table ? "columns" : "normalisation";
  return [
    `The ${what} found exactly, but the manifest's ${entry} do${table ? "" : "es"} not fit: ${misfits.join("; ")}.`,
  ];
}

/** `, pictures of strangers 0.0123` */
export function strangersText({ strangersResidual }: NonNullable<AuditRecord["confidence"]>): string {
  return strangersResidual === null ? "" : `, pictures of strangers ${compactText(strangersResidual)}`;
}

/** What can be said at a terminal and in the report of how far the seeds agree. */
function agreementSentence(agreement: NonNullable<AuditRecord["confidence"]>["agreement"]): string {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const [between, floor] = [mean(agreement.map(({ meanDb }) => meanDb)), mean(agreement.map(({ floorDb }) => floorDb))];
  const count = agreement.filter(({ agrees }) => agrees).length;
  return `The searches' pictures are ${dbText(between)} from each other, ${signedDbText(between - floor)} to what means nothing; ${count} of ${plural(agreement.length, "image")} agree${count === 1 ? "s" : ""}.`;
}

function scoreSentences({ scores, notScored }: AuditRecord): string[] {
  if (notScored) return [`Not scored: ${notScored}.`];
  if (!scores) return ["Nobody gave the private images, so this was not scored."];
  if (scores.table) return [`Held against the private rows: ${rowSentences(scores.table).join(" ")}`];
  const { psnrDb, leakage } = scores;
  return [
    `Held against the private images, one-to-one: ${dbText(psnrDb.oneToOne)}, ${dbText(Math.abs(leakage.oneToOne.aboveFloorDb))} ` +
      `${leakage.oneToOne.aboveFloorDb < 0 ? "below" : "above"} the highest floor.`,
  ];
}

function unjudged({ status, failure, rows, plan }: AuditRecord): Verdict {
  const done = `${searchesText(rows.length)} of ${plan.attack} ended.`;
  if (status === "failed") return { headline: "The audit failed.", sentences: [`Reason: ${failure}`, done] };
  const sentences = [
    done,
    ...(status === "interrupted" ? ["Continue it with: fedleak resume, followed by its folder."] : []),
  ];
  return { headline: status === "running" ? "The audit is still going." : "The audit was interrupted.", sentences };
}
