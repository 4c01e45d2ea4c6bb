import type { Images } from "../../../metrics/index.ts";
import type { Model } from "../../../nn/index.ts";
import { type Checkpoint, type CheckpointOwner, isUnusable } from "../../checkpoint.ts";
import type { IterationEvent } from "../../events.ts";
import { iterate } from "../../iterate.ts";
import type { CurvePoint } from "../../record-schema.ts";
import { solveFor } from "./closed-form.ts";
import { CLOSED_FORM, type Found } from "./confidence.ts";
import type { AuditWatcher, SearchRun } from "./events.ts";
import { readSearchState, writeFound, writeSearchState } from "./files.ts";
import type { AuditRow } from "./record.ts";
import { residualOf } from "./residual.ts";
import { type AttackChoice, compileSearch, controlOf, type Subject } from "./subject.ts";

export interface SearchPlace {
  readonly subject: Subject;
  readonly choice: AttackChoice;
  readonly folder: string;
  readonly owner: CheckpointOwner;
  readonly watcher: AuditWatcher;
}

/** The name of the search that is run on the update of nobody. */
export const CONTROL = "control";

/** The closed form as an audit's only row. */
export async function runClosedForm(place: SearchPlace): Promise<Found> {
  const began = performance.now();
  const { images, fed, labels, proof, misfits, cells } = await solveFor(place.subject, place.choice);
  const model = place.subject.captured.network; // judged by what was solved for, which `images` may not hold
  const measured = await measure(place, fed, labels, { control: false, failure: undefined, model });
  await writeFound(place.folder, CLOSED_FORM, images);
  const seconds = (performance.now() - began) / 1000;
  const cost = { iterations: 1, evaluations: 1, seconds };
  const shown = Number.isFinite(proof.relativeResidual) ? { proof } : {}; // lost numbers prove nothing
  const beyond = {
    ...(misfits.length > 0 && { misfits: [...misfits] }),
    ...(cells && { cells: cells.map((own) => [...own]) }),
  };
  return {
    row: { name: CLOSED_FORM, ...cost, labels: [...labels], curve: [], ...shown, ...beyond, ...measured },
    images,
  };
}

/**
 * One search from its checkpoint, if it has one, to its end; undefined when it was interrupted. `seed` draws its start.
 *
 * A number that is not finite gives a row with status "failed" and the last good images. Errors of writing are thrown.
 */
export async function runSearch(
  place: SearchPlace,
  run: SearchRun,
  seed: number | typeof CONTROL,
): Promise<Found | undefined> {
  const { subject, choice, folder, owner, watcher } = place;
  const attack = await compileSearch(subject, choice, seed);
  try {
    const curve: CurvePoint[] = [];
    const { iterations } = choice.settings;
    const stored = await storedState(place, run.name);
    const from = stored && attack.fits(stored.state) ? stored : { state: attack.initial, seconds: 0 };
    const end = await iterate({
      ...{ attack, from, iterations, checkpointEvery: subject.spec.checkpointEvery, signal: watcher.signal },
      part: seed === CONTROL ? "mismatched" : "attack",
      onIteration: (event) => {
        if (event.iteration % Math.ceil(iterations / CURVE_POINTS) === 0) curve.push(pointOf(event));
        watcher.onEvent?.({ ...event, kind: "iteration", run });
      },
      save: (at) => writeSearchState(folder, run.name, at, owner),
    });
    if (end.status === "interrupted") return undefined;
    const { state, seconds } = end.at;
    const images = await attack.reconstruct(state);
    const labels = [...attack.inferredLabels(state)];
    const measured = await measure(place, images, labels, { control: seed === CONTROL, failure: end.failure });
    await writeFound(folder, run.name, images);
    const { iteration, evaluations } = state;
    return {
      row: { name: run.name, iterations: iteration, evaluations, seconds, labels, curve, ...measured },
      images,
    };
  } finally {
    await attack.release();
  }
}

/** A search's checkpoint; one that is of no use is passed over: from its start a search comes to the same end. */
async function storedState({ folder, owner, watcher }: SearchPlace, name: string): Promise<Checkpoint | undefined> {
  try {
    return await readSearchState(folder, name, owner);
  } catch (error) {
    if (!isUnusable(error)) throw error;
    watcher.onEvent?.({ kind: "stage", text: `beginning ${name} anew, since ${error.message}` });
    return undefined;
  }
}

const CURVE_POINTS = 200; // our choice: the curves of several searches are read together

/** How far the images handed over explain the update that they were searched for with. */
async function measure(
  { subject, choice }: Pick<SearchPlace, "subject" | "choice">,
  images: Images,
  labels: readonly number[],
  {
    control,
    failure,
    model = subject.captured.model,
  }: { readonly control: boolean; readonly failure: string | undefined; readonly model?: Model },
): Promise<Pick<AuditRow, "status" | "failure" | "residual">> {
  const { device, spec, observation } = subject;
  const given = { observation: control ? controlOf(subject) : observation, settings: choice.settings };
  const frame = { model, ...given, device, threads: spec.threads };
  const finite = images.data.every(Number.isFinite);
  const residual = finite ? await residualOf(images, labels, frame) : Number.NaN;
  if (failure === undefined && Number.isFinite(residual)) return { status: "finished", residual };
  const reason = finite ? "the gradient of what was found is zero or not finite" : "a pixel of it is not finite";
  return { status: "failed", failure: failure ?? reason, residual: null };
}

function pointOf({ iteration, evaluations, seconds, loss, cosine }: IterationEvent): CurvePoint {
  const told = Number.isFinite(cosine) ? { cosine: Math.min(1, Math.max(-1, cosine)) } : {}; // rounding may carry it past 1
  return { iteration, evaluations, seconds, loss, ...told };
}
