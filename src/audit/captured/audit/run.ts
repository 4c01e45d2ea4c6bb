import { countElements } from "../../../nn/index.ts";
import { fail, key, split } from "../../../util/index.ts";
import type { CheckpointOwner } from "../../checkpoint.ts";
import { canonicalJson, fingerprint } from "../../fingerprint.ts";
import { lockFolder } from "../../folder-lock.ts";
import { mustBeStopped } from "../../must-be-stopped.ts";
import { withResumption } from "../../resumed.ts";
import { checkOut, checkWritable, defaultOut, FILES, makeRunFolder } from "../../run-folder.ts";
import { versions } from "../../versions.ts";
import { isTaken } from "../../write-file.ts";
import { type CheckReport, checkCaptured } from "../check.ts";
import { adviceOnContradictions } from "./advice.ts";
import { conductAudit } from "./conduct.ts";
import type { AuditWatcher } from "./events.ts";
import { type RenderAudit, readAuditRecord, writeFirstAuditRecord } from "./files.ts";
import { reportLabels } from "./labels.ts";
import { auditLedger } from "./ledger.ts";
import { type Plan, planAudit, planIn, settingsJson } from "./plan.ts";
import { AUDIT_FORMAT, AUDIT_VERSION, type AuditRecord } from "./record.ts";
import { type AuditRequest, type AuditSpec, completeAuditSpec } from "./spec.ts";
import { readSubject, type Subject } from "./subject.ts";

export interface AuditOptions extends AuditWatcher {
  /** The audit's folder, new or empty; without it a fresh one under `runs`. */
  readonly out?: string | undefined;
  /** The command line that asked for it, for the record. */
  readonly command: string;
  readonly render: RenderAudit;
}

/** How an audit ended; "refused" where the files contradict each other: nothing was attacked or written. */
export type AuditOutcome =
  | { readonly kind: "done"; readonly folder: string; readonly record: AuditRecord }
  | { readonly kind: "refused"; readonly report: CheckReport; readonly advice: readonly string[] };

/**
 * One audit of a captured update from beginning to end: check, labels, attacks within the budget, confidence, report.
 *
 * The folder is made only when everything was read and decided. Throws FedleakError at bad input.
 */
export async function runAudit(spec: AuditSpec, options: AuditOptions): Promise<AuditOutcome> {
  const { onEvent, signal, render } = options;
  const startedAt = new Date();
  const began = performance.now();
  const out = options.out ?? defaultOut("audit", "update", startedAt);
  await (options.out === undefined ? checkWritable(out) : checkOut(out));
  onEvent?.({ kind: "stage", text: "reading the update and checking it" });
  const subject = await readSubject(spec);
  const where = { device: subject.device, threads: spec.threads };
  const report = await checkCaptured(subject.captured, { ...where, images: subject.images });
  onEvent?.({ kind: "checked", report });
  if (!report.consistent && !spec.force) return { kind: "refused", report, advice: adviceOnContradictions(report) };
  needGoing(signal);
  onEvent?.({ kind: "stage", text: "inferring the labels" });
  const { model, manifest } = subject.captured;
  const labels = await reportLabels(subject.captured, {
    ...{ model, observation: subject.observation, batchSize: subject.images, mode: manifest.batchNorm, ...where },
    key: split(key(spec.seed), "labels"),
  });
  onEvent?.({ kind: "stage", text: "choosing the attack and sharing the budget" });
  const left = () => (spec.budgetMs ?? 0) - (performance.now() - began);
  const plan = await planAudit(subject, report, left, () => !signal?.aborted);
  needGoing(signal);
  const record: AuditRecord = {
    ...{ format: AUDIT_FORMAT, version: AUDIT_VERSION, status: "running" },
    ...{ startedAt: startedAt.toISOString(), command: options.command },
    spec: JSON.parse(JSON.stringify(spec)),
    subject: {
      ...{ model: model.name, sent: manifest.sent, shape: [subject.images, ...model.inputShape] },
      ...{ parameters: countElements(model.params), classNames: manifest.classNames },
    },
    inputs: { update: subject.inputsPrint, truth: subject.truthPrint },
    check: checkedOf(report),
    labels,
    plan: { attack: plan.preset.name, settings: settingsJson(plan.settings), verdicts: plan.verdicts },
    ledger: auditLedger(subject, plan, labels, versions()),
    versions: versions(),
    ...{ rows: [], advice: [] },
  };
  const { folder, undo } = await makeRunFolder(out, { numbered: options.out === undefined });
  await using _ = await lockFolder(folder);
  try {
    await writeFirstAuditRecord(folder, record);
  } catch (error) {
    if (!isTaken(error)) await undo(); // else the files are another audit's
    throw error;
  }
  onEvent?.({ kind: "folder", folder });
  const owner = await ownerOf(subject, plan);
  return {
    kind: "done",
    folder,
    record: await conductAudit({ subject, plan, folder, record, owner, render, watcher: options }),
  };
}

/**
 * Goes on with an audit that was stopped or killed; it ends with the same reconstructions, bit for bit, as if it had not been.
 *
 * That holds for the same program, machine and number of threads. Throws FedleakError when the audit has ended or its update
 * is missing or changed.
 */
export async function resumeAudit(
  folder: string,
  options: Omit<AuditOptions, "command" | "out">,
): Promise<AuditOutcome> {
  await readAuditRecord(folder); // before anything is written there: it must be an audit's folder
  await using _ = await lockFolder(folder);
  const stored = await readAuditRecord(folder);
  mustBeStopped(folder, stored, {
    what: "audit",
    remedy: `Look at ${folder}/${FILES.report}, or start another audit.`,
  });
  options.onEvent?.({ kind: "stage", text: "reading the update again" });
  const subject = await readSubject(completeAuditSpec(stored.spec as AuditRequest));
  checkSame(folder, stored, subject);
  const plan = planIn(stored);
  const place = `search ${stored.rows.length + 1}`;
  const ledger = withResumption(stored.ledger, { place, began: stored.versions, note: undefined });
  options.onEvent?.({ kind: "folder", folder });
  const record: AuditRecord = { ...stored, status: "running", ledger };
  const owner = await ownerOf(subject, plan);
  return {
    kind: "done",
    folder,
    record: await conductAudit({ subject, plan, folder, record, owner, render: options.render, watcher: options }),
  };
}

/** Throws when update or truth are not those that the audit began with. */
function checkSame(folder: string, { inputs }: AuditRecord, { inputsPrint, truthPrint, spec }: Subject): void {
  if (!inputs) return; // a record of an earlier version does not tell
  const sameUpdate = inputs.update === inputsPrint;
  if (sameUpdate && inputs.truth === truthPrint) return;
  fail({
    who: `resume ${folder}`,
    must: `${sameUpdate ? "the private images" : "update, manifest and prior"} must be those that the audit began with`,
    got: `others in ${sameUpdate ? spec.truth : [spec.update, spec.attack.prior].filter((path) => path !== null).join(" or ")}`,
    remedy: "Put the files back, or start another audit.",
  });
}

/** Whose checkpoints may be gone on with: the same plan on the same update. */
async function ownerOf({ spec, inputsPrint }: Subject, { preset, settings }: Plan): Promise<CheckpointOwner> {
  return {
    spec: await fingerprint(canonicalJson({ attack: preset.name, settings, seed: spec.seed })),
    inputs: inputsPrint,
  };
}

function checkedOf({
  verdict,
  reasons,
  consistent,
  findings,
  equations,
  unknowns,
  notes,
}: CheckReport): AuditRecord["check"] {
  return {
    ...{ verdict, consistent, equations, unknowns },
    reasons: [...reasons],
    findings: findings.map((finding) => ({ ...finding })),
    notes: [...notes],
  };
}

/** Throws when the audit was stopped before it wrote anything. */
function needGoing(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  fail({
    who: "audit",
    must: "it must reach its first search to be continued later",
    got: "an interrupt before that",
    remedy: "Nothing was written: start it again.",
    cause: signal.reason, // by which a watcher tells it from other errors
  });
}
