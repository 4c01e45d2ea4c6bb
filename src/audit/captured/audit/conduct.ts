import type { Images } from "../../../metrics/index.ts";
import { key, split } from "../../../util/index.ts";
import type { CheckpointOwner } from "../../checkpoint.ts";
import { cellsOf } from "../../table-results.ts";
import { adviceOn } from "./advice.ts";
import { conclusionOf } from "./conclusion.ts";
import { confidenceOf, type Found } from "./confidence.ts";
import type { AuditWatcher } from "./events.ts";
import { dropSearchState, type RenderAudit, readFound, writeAudited, writeAuditRecord } from "./files.ts";
import { type Plan, runsOf } from "./plan.ts";
import type { AuditRecord } from "./record.ts";
import { scoresOf } from "./scores.ts";
import { CONTROL, runClosedForm, runSearch } from "./search.ts";
import { strangersResidual } from "./strangers.ts";
import type { Subject } from "./subject.ts";

/** An audit whose folder is there and that is about to search, for the first time or again. */
export interface AuditJob {
  readonly subject: Subject;
  readonly plan: Plan;
  readonly folder: string;
  /** With status "running", and the rows that have ended. */
  readonly record: AuditRecord;
  readonly owner: CheckpointOwner;
  readonly render: RenderAudit;
  readonly watcher: AuditWatcher;
}

/**
 * Runs the searches that have not ended, judges what they found, scores it where there is a truth, and writes all of it.
 *
 * Returns the record as it was written last: "interrupted" after an abort, "failed" when no search came to an end. Errors of
 * writing are thrown.
 */
export async function conductAudit(job: AuditJob): Promise<AuditRecord> {
  const { subject, plan, folder, watcher } = job;
  let record = job.record;
  const found = new Map<string, Found>();
  for (const row of record.rows) found.set(row.name, { row, images: await readFound(folder, row.name) });
  const add = async (next: Found) => {
    found.set(next.row.name, next);
    record = { ...record, rows: [...record.rows, next.row] };
    await writeAuditRecord(folder, record);
    await dropSearchState(folder, next.row.name);
  };
  const place = { ...job, choice: plan };
  if (plan.settings.method !== "optimise") {
    if (found.size === 0) await add(await runClosedForm(place));
    return conclude({ ...job, record }, found, "finished");
  }
  const runs = [...Array.from({ length: subject.spec.seeds }, (_, i) => i), CONTROL] as const;
  for (const [index, seed] of runs.entries()) {
    const name = seed === CONTROL ? CONTROL : `seed-${seed}`;
    if (found.has(name)) continue;
    if (watcher.signal?.aborted) return conclude({ ...job, record }, found, "interrupted");
    watcher.onEvent?.({ kind: "stage", text: STAGES(seed, subject.spec.seeds) });
    const end = await runSearch(place, { name, index, of: runsOf(subject, plan) }, seed);
    if (end === undefined) return conclude({ ...job, record }, found, "interrupted");
    await add(end);
  }
  return conclude({ ...job, record }, found, "finished");
}

const STAGES = (seed: number | typeof CONTROL, seeds: number) =>
  seed === CONTROL
    ? "compiling the control: the same search on an update of nobody"
    : `compiling search ${seed + 1} of ${seeds}`;

/** Judges and scores what has ended, and writes it; an interrupted audit is told what it has so far. */
async function conclude(
  job: AuditJob,
  found: ReadonlyMap<string, Found>,
  status: "finished" | "interrupted",
): Promise<AuditRecord> {
  const { subject, plan, record: before, folder, render } = job;
  const { table } = subject.captured;
  const seeds = [...found.values()].filter(({ row }) => row.name !== CONTROL);
  const strangers = status === "finished" && plan.settings.method === "optimise" ? await strangersOf(job, seeds) : null;
  const confidence =
    status === "finished" ? confidenceOf(seeds, found.get(CONTROL), strangers, subject.images) : undefined;
  const failure = before.rows.find((row) => row.failure !== undefined)?.failure;
  const failed = status === "finished" && confidence === undefined;
  const best = confidence && found.get(confidence.best);
  const shown = inOrder(found, confidence?.best);
  const finite = new Map([...shown].filter(([name]) => found.get(name)!.row.residual !== null));
  const scored =
    best && subject.truth
      ? scoresOf(subject.truth, finite, best.row, { seed: subject.spec.seed, columns: table?.columns })
      : undefined;
  const scores = typeof scored === "object" ? scored : undefined;
  const conclusion = confidence && conclusionOf(confidence, scores);
  const record: AuditRecord = {
    ...before,
    status: failed ? "failed" : status,
    ...(failed && { failure: failure ?? "no search came to an end" }),
    ...(confidence && { confidence }),
    ...(best &&
      table && {
        table: {
          columns: table.columns.map(({ name }) => name),
          rows: best.row.cells ?? cellsOf(best.images, table.columns),
        },
      }),
    ...(conclusion && { conclusion }),
    ...(typeof scored === "string" && { notScored: scored }),
    ...(scores && { scores }),
    advice: status === "finished" ? adviceOn(subject, confidence, conclusion, before.check) : [],
  };
  await writeAudited(folder, record, { found: finite, truth: subject.truth?.images }, render);
  return record;
}

/** The least that strangers leave under the labels of any search that has an end; null where that cannot be said. */
async function strangersOf({ subject, plan, watcher }: AuditJob, seeds: readonly Found[]): Promise<number | null> {
  const sets = labelSets(seeds.filter(({ row }) => row.residual !== null).map(({ row }) => row.labels));
  if (sets.length === 0) return null;
  watcher.onEvent?.({ kind: "stage", text: "measuring what pictures of strangers explain" });
  const { captured, observation, device, spec } = subject;
  const frame = {
    model: captured.model,
    observation,
    settings: plan.settings,
    device,
    threads: spec.threads,
    columns: captured.table?.columns,
  };
  const all: number[] = [];
  for (const labels of sets) all.push(await strangersResidual(labels, frame, split(key(spec.seed), "strangers")));
  const finite = all.filter(Number.isFinite);
  return finite.length > 0 ? Math.min(...finite) : null;
}

/** Those that differ by more than their order. */
export function labelSets(labels: readonly (readonly number[])[]): (readonly number[])[] {
  const sets = new Map(labels.map((of) => [[...of].sort((a, b) => a - b).join(), of]));
  return [...sets.values()];
}

/** The best row first, the control last. */
function inOrder(found: ReadonlyMap<string, Found>, best: string | undefined): Map<string, Images> {
  const rank = (name: string) => (name === best ? 0 : name === CONTROL ? 2 : 1);
  const names = [...found.keys()].sort((a, b) => rank(a) - rank(b));
  return new Map(names.map((name) => [name, found.get(name)!.images]));
}
