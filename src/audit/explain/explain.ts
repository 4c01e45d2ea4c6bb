import { fail } from "../../util/index.ts";
import { canonicalJson, fingerprint } from "../fingerprint.ts";
import { lockFolder } from "../folder-lock.ts";
import { ledgerOf } from "../ledger.ts";
import { namedAttack } from "../named-attack.ts";
import type { Assumption } from "../record-schema.ts";
import { checkOut, defaultOut } from "../run-folder.ts";
import type { RunSpec } from "../spec.ts";
import { compileAttack, prepareTrial, type Trial } from "../trial.ts";
import { versions } from "../versions.ts";
import { openFolder, type RenderExplanation, readExplanation, writeExplanation } from "./files.ts";
import { measurePart } from "./measure-part.ts";
import { EXPLANATION_FORMAT, EXPLANATION_VERSION, type Explanation, PART_NAMES, type PartName } from "./schema.ts";
import type { ExplainEvent, ExplainOptions } from "./task.ts";

export interface ExplainPlan {
  readonly options: ExplainOptions;
  /** The parts to compute; in the order of PARTS. */
  readonly only: readonly PartName[];
  /** A new or empty folder, or that of an earlier explanation of the same setting; without it a fresh one under `runs`. */
  readonly out?: string | undefined;
  readonly command: string;
  readonly render: RenderExplanation;
  readonly onEvent?: (event: ExplainEvent) => void;
  /** Aborting it ends in order, with what there is. */
  readonly signal?: AbortSignal;
}

/** All parts, in their order. */
export const PARTS: readonly PartName[] = PART_NAMES;

const FOLLOWED = "it must be told which attack's search to follow";
const ITERATIONS = 100; // our choice: enough to see a trend, in each of four runs; the presets' thousands would take hours

/**
 * Explains an attack setting with the paper's own diagnostics: μ/L along the run, gradient distance against noise, gradient
 * magnitude against sensitivity, and the damping example. Each part is written as soon as it is there.
 *
 * Where the spec does not set `iterations`, 100 are run, or the preset's if it has fewer. A finished part of an earlier explanation in the same folder is
 * kept. It computes with the private batch, which no attack is given.
 * Throws FedleakError at bad input, before anything is written; a part that fails says so in the result.
 */
export async function explainAttack(
  asked: RunSpec,
  plan: ExplainPlan,
): Promise<{ folder: string; found: Explanation }> {
  const { onEvent, signal } = plan;
  checkOneStep(asked);
  const { name } = asked.attack;
  const preset = namedAttack(name, { who: "explain", must: FOLLOWED }).settings.iterations.value;
  const shortened = !Object.hasOwn(asked.attack.settings, "iterations") && preset > ITERATIONS;
  const spec = shortened ? withIterations(asked) : asked;
  const started = new Date();
  const out = plan.out ?? defaultOut(`explain-${spec.attack.name}`, spec.model.name, started);
  const before = await readExplanation(out);
  if (!before && plan.out !== undefined) await checkOut(out);
  onEvent?.({ kind: "stage", text: "reading the data and computing the client's update" });
  const trial = await prepareTrial(spec);
  const prints = { spec: trial.specPrint, inputs: trial.inputsPrint };
  if (before) needSame(before, prints, out);
  const ledger = before?.ledger ?? (await ledgerFor(trial, shortened));
  needGoing(signal);
  const folder = before ? out : await openFolder(out, plan.out === undefined);
  await using _ = await lockFolder(folder);
  const parts = (before && (await readExplanation(folder)))?.parts ?? {}; // as they are now that nobody else writes them
  onEvent?.({ kind: "folder", folder });

  let found: Explanation = {
    format: EXPLANATION_FORMAT,
    version: EXPLANATION_VERSION,
    status: "running",
    startedAt: started.toISOString(),
    command: plan.command,
    asked: { only: PARTS.filter((part) => asParts(before, plan).includes(part)), options: plan.options },
    spec: JSON.parse(JSON.stringify(trial.spec)),
    ledger,
    versions: versions(),
    prints,
    parts,
  };
  const put = async (change: Partial<Explanation>) => {
    found = { ...found, ...change };
    await writeExplanation(folder, found, plan.render);
  };
  await put({});
  for (const part of PARTS.filter((name) => plan.only.includes(name))) {
    const print = await fingerprint(canonicalJson({ ...prints, part, options: OPTIONS_OF[part](plan.options) }));
    const old = found.parts[part]?.print === print ? found.parts[part] : undefined;
    if (old?.status === "finished") {
      onEvent?.({ kind: "part", part, state: "kept" });
      continue;
    }
    if (signal?.aborted) break;
    onEvent?.({ kind: "part", part, state: "begun" });
    const made = await measurePart(part, {
      trial,
      options: plan.options,
      print,
      old: found.parts[part]?.print === print && isOurs(found.parts[part]) ? found.parts : {},
      keep: (parts) => put({ parts: { ...found.parts, ...parts } }),
      onEvent: (event) => onEvent?.(event),
      stopped: () => signal?.aborted ?? false,
    });
    await put({ parts: { ...found.parts, ...made } });
    onEvent?.({ kind: "part", part, state: made[part]!.status });
  }
  await put({ status: statusOf(found, plan.only) });
  return { folder, found };
}

/** The options that a part's numbers depend on. */
const OPTIONS_OF: Readonly<Record<PartName, (options: ExplainOptions) => Partial<ExplainOptions>>> = {
  convergence: ({ probes }) => ({ probes }),
  noise: ({ draws }) => ({ draws }),
  sensitivity: ({ entries }) => ({ entries }),
  damping: () => ({}),
};

/** What an earlier go was asked for and this one: a part that was left over is still to come. */
function asParts(before: Explanation | undefined, { only }: ExplainPlan): readonly PartName[] {
  return [...(before?.asked?.only ?? []), ...only];
}

/** Whether a part was begun by these versions: half of it by others would be no whole. */
function isOurs({ versions: its }: NonNullable<Explanation["parts"][PartName]>): boolean {
  return its === undefined || canonicalJson(its) === canonicalJson(versions());
}

/** Noise, sensitivity and the variants are measured on the gradient of one batch. */
function checkOneStep({ client: { localSteps } }: RunSpec): void {
  if (localSteps === 1) return;
  fail({
    who: "explain",
    must: "the client must send one gradient: that is what the diagnostics are about",
    got: `${localSteps} local steps`,
    remedy: "Leave --local-steps away.",
  });
}

function withIterations(spec: RunSpec): RunSpec {
  const { attack } = spec;
  return { ...spec, attack: { ...attack, settings: { ...attack.settings, iterations: ITERATIONS } } };
}

async function ledgerFor(trial: Trial, shortened: boolean): Promise<readonly Assumption[]> {
  const attack = await compileAttack(trial);
  try {
    return ledgerOf(trial, attack, versions()).map((entry) =>
      entry.assumption === "iterations" && shortened
        ? { ...entry, origin: "our-choice", note: `explain's default; ${entry.note ?? ""}` }
        : entry,
    );
  } finally {
    await attack.release();
  }
}

function needSame(before: Explanation, prints: Explanation["prints"], out: string): void {
  const [spec, inputs] = [before.prints.spec === prints.spec, before.prints.inputs === prints.inputs];
  if (spec && inputs) return;
  fail({
    who: `--out ${out}`,
    must: "the explanation in the folder must be of the same setting",
    got: spec ? "another batch or other weights" : "another setting",
    remedy: "Choose another folder, or repeat the flags of the command in its explain.json.",
  });
}

function needGoing(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  fail({
    who: "explain",
    must: "it must reach its first part for anything to be kept",
    got: "an interrupt before that",
    remedy: "Nothing was written: start it again.",
    cause: signal.reason, // by which a caller tells it from other errors
  });
}

function statusOf({ parts }: Explanation, only: readonly PartName[]): Explanation["status"] {
  const states = only.map((part) => parts[part]?.status ?? "interrupted");
  return states.includes("interrupted") ? "interrupted" : states.includes("failed") ? "failed" : "finished";
}
