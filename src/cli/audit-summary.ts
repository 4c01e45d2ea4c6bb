import { join } from "node:path";
import { type AuditOutcome, FILES } from "../audit/index.ts";
import { auditVerdict, labelSentences } from "../report/index.ts";
import { checkText } from "./check.ts";
import { type Row, table, wrapped } from "./text-layout.ts";

type Done = Extract<AuditOutcome, { kind: "done" }>;
type Refused = Extract<AuditOutcome, { kind: "refused" }>;

const WIDTH = 96; // columns of text; our choice

/** What an audit came to, for a person at a terminal: the verdict first, then what it rests on, then what to do. */
export function auditSummary({ record, folder }: Done): string {
  const { headline, sentences } = auditVerdict(record);
  const { confidence, rows, scores, advice, table: cells } = record;
  const listed = (text: string) => wrapped(text, WIDTH - 2).map((line, i) => `${i === 0 ? "·" : " "} ${line}`);
  return [
    "",
    ...wrapped(headline, WIDTH),
    "",
    ...wrapped(sentences.join(" "), WIDTH),
    ...(rows.length === 0
      ? []
      : [
          "",
          ...table([
            ["search", "residual", ...(scores ? ["PSNR"] : []), "gradients", "seconds", ""],
            ...rows.map(
              ({ name, residual, evaluations, seconds, failure }): Row => [
                name,
                residual === null ? "–" : residual.toPrecision(3),
                ...(scores ? [scores.rows[name] === undefined ? "–" : `${scores.rows[name].toFixed(2)} dB`] : []),
                `${evaluations}`,
                seconds.toFixed(1),
                failure ?? (confidence?.fitting.includes(name) ? "fits" : ""),
              ],
            ),
          ]),
        ]),
    ...(cells ? ["", ...table([["row", ...cells.columns], ...cells.rows.map((row, i): Row => [`${i}`, ...row])])] : []),
    "",
    ...wrapped(`Labels: ${labelsText(record)}. ${labelSentences(record).join(" ")}`, WIDTH),
    ...(advice.length > 0 ? ["", ...advice.flatMap(listed)] : []),
    "",
    ...wrapped(`Assumes ${assumptions(record)}.`, WIDTH),
    "",
    ...table([
      ["report", join(folder, FILES.report)],
      ["record", join(folder, FILES.record)],
    ]),
  ].join("\n");
}

/** What an audit came to, for a program. */
export function auditSummaryJson({ record, folder }: Done): Record<string, unknown> {
  const { status, failure, plan, subject, check, labels, confidence, scores, notScored, advice, ledger } = record;
  const { headline } = auditVerdict(record);
  return {
    status,
    ...(failure !== undefined && { failure }),
    ...{ verdict: headline, outcome: confidence?.outcome ?? null },
    ...{ attack: plan.attack, evaluations: plan.settings.evaluations, model: subject.model, shape: subject.shape },
    check: { verdict: check.verdict, consistent: check.consistent, reasons: check.reasons },
    ...{ labels, confidence: confidence ?? null },
    rows: record.rows.map(({ curve: _, ...row }) => row),
    ...(scores && {
      scores: {
        ...{ psnrDb: scores.psnrDb, leakage: scores.leakage, rows: scores.rows, labels: scores.labels },
        ...(scores.table && { table: scores.table }),
      },
    }),
    ...(record.table && { table: record.table }),
    ...(notScored !== undefined && { notScored }),
    ...{ advice, out: folder, report: join(folder, FILES.report) },
    assumptions: Object.fromEntries(ledger.map(({ assumption, value }) => [assumption, value])),
  };
}

/** Why nothing was attacked, and what to do about it. */
export function refusal({ report, advice }: Refused): string {
  const listed = (text: string) => wrapped(text, WIDTH - 2).map((line, i) => `${i === 0 ? "·" : " "} ${line}`);
  return [checkText(report), "", "Nothing was attacked.", ...advice.flatMap(listed)].join("\n");
}

/** What `--json` prints of an update that is not attacked, since its files contradict each other. */
export function refusalJson({ report, advice }: Refused): Record<string, unknown> {
  return { status: "refused", check: report, advice };
}

/** `cat × 2, dog` */
function labelsText({ labels, subject }: Done["record"]): string {
  const counts = new Map<number, number>();
  for (const label of labels.inferred) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts]
    .map(([label, count]) => `${subject.classNames[label] ?? label}${count > 1 ? ` × ${count}` : ""}`)
    .join(", ");
}

/** What the reader must know before quoting the verdict, from the ledger. */
function assumptions({ ledger }: Done["record"]): string {
  return QUOTED.flatMap((name) => {
    const entry = ledger.find(({ assumption }) => assumption === name);
    const guessed = entry?.note?.includes("guessed") ? " (guessed)" : "";
    return entry ? [`${name.replaceAll("-", " ")}: ${entry.value}${guessed}`] : [];
  }).join("; ");
}

const QUOTED = [
  "sent",
  "batch-size",
  "local-steps",
  "optimiser",
  "normalisation",
  "bn-mode",
  "buffers",
  "labels",
  "stopping-rule",
  "resumed",
];
