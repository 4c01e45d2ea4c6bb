import {
  type AttackRun,
  type AttackSettings,
  checkPrior,
  completeSettings,
  findAttack,
  type Preset,
  prepareAttack,
} from "../../../attacks/index.ts";
import type { Observation } from "../../../fl/index.ts";
import type { Model } from "../../../nn/index.ts";
import { type Device, parseDevice } from "../../../runtime/index.ts";
import type { Tensors } from "../../../tensor/index.ts";
import { fail, type Key, key, split } from "../../../util/index.ts";
import { canonicalJson, fingerprint } from "../../fingerprint.ts";
import { type LoadedPrior, loadPrior } from "../../prior/load.ts";
import { layerRows } from "../layer-rows.ts";
import { imagesOf, observationOf } from "../observation.ts";
import { statedEntries } from "../payload.ts";
import { type CapturedUpdate, readCaptured } from "../read.ts";
import { permutedUpdate } from "./control.ts";
import type { AuditSpec } from "./spec.ts";
import { readTruth, type Truth } from "./truth.ts";

/** Everything an audit stands on before anything is attacked. */
export interface Subject {
  readonly spec: AuditSpec;
  readonly device: Device;
  readonly captured: CapturedUpdate;
  /** The manifest's entries that its author wrote; the others are defaults. */
  readonly stated: ReadonlySet<string>;
  /** The number of images that are looked for. */
  readonly images: number;
  /** What the server sees. */
  readonly observation: Observation;
  /** Never given to an attack, but for granted labels. */
  readonly truth: Truth | undefined;
  readonly prior: LoadedPrior | undefined;
  /** Of everything that was read: a resumed audit must have the same. */
  readonly inputsPrint: string;
  /** Of the private images and their labels, so that a resumed audit scores by the same ones; null: there are none. */
  readonly truthPrint: string | null;
}

/**
 * Reads the captured update, and the truth and prior where there are some.
 *
 * Nothing is written. Throws FedleakError when anything does not exist or fit, or nobody tells how many images there are.
 */
export async function readSubject(spec: AuditSpec): Promise<Subject> {
  const captured = withBatchSize(await readCaptured(spec.update), spec.batchSize);
  const { manifest, model, before, estimate, buffers, table } = captured;
  const { inputShape, classes } = model;
  const frame = { inputShape, classes, classNames: manifest.classNames, columns: table?.columns };
  const truth = spec.truth === null ? undefined : await readTruth(spec.truth, { ...frame, target: spec.target });
  const images = spec.batchSize ?? imagesOf(captured) ?? untold(captured);
  const labels = spec.grants.includes("labels") ? grantedLabels(truth!, images) : undefined;
  const beyond = { labels, publicData: spec.grants.includes("public-data") };
  const prior = spec.attack.prior === null ? undefined : await loadPrior(spec.attack.prior);
  if (prior) checkPrior(prior.prior, { granted: spec.grants, inputShape, classes });
  return {
    ...{ spec, device: parseDevice(spec.device), captured, images, truth, prior },
    stated: new Set([...(await statedEntries(spec.update)), ...(table ? ["normalisation"] : [])]), // by the columns
    observation: observationOf(captured, images, beyond),
    inputsPrint: await fingerprint(
      ...[canonicalJson(manifest), before.params, before.buffers, estimate.update, buffers, `${images}`],
      ...(prior ? [prior.fingerprint] : []),
    ),
    truthPrint: truth ? await fingerprint(truth.images, JSON.stringify(truth.labels ?? null)) : null,
  };
}

/** What a search needs beside the subject; decided once, and the same for every seed and for the control. */
export interface AttackChoice {
  readonly preset: Preset;
  readonly settings: AttackSettings;
}

/** An attack by name with settings over its preset's. Throws FedleakError at what does not exist. */
export function chosen(name: string, settings: AuditSpec["attack"]["settings"]): AttackChoice {
  const preset = findAttack(name);
  return { preset, settings: completeSettings(preset, settings as Parameters<typeof completeSettings>[1]) };
}

/** Compiles a search on what the server sees, or on the control's update, from the start that `seed` draws. */
export function compileSearch(subject: Subject, choice: AttackChoice, seed: number | "control"): Promise<AttackRun> {
  const { spec, captured, device, prior } = subject;
  const observation = seed === "control" ? controlOf(subject) : subject.observation;
  return prepareAttack({
    ...{ model: captured.model, observation, attack: choice.preset, settings: choice.settings },
    ...{ key: split(split(key(spec.seed), "attack"), seed), device, threads: spec.threads },
    columns: captured.table?.columns,
    ...(prior && { prior: prior.prior }),
  });
}

/** The observation of the control: an update of nobody, and all else as it is. */
export function controlOf(subject: Pick<Subject, "spec" | "captured" | "observation">): Observation {
  const { captured, observation } = subject;
  return { ...observation, update: controlUpdate(captured.model, observation.update, key(subject.spec.seed)) };
}

function controlUpdate(model: Model, update: Tensors<"float32">, of: Key): Tensors<"float32"> {
  return permutedUpdate(update, model.head, split(of, "control"));
}

/** The manifest with the batch size that the user tells; of several steps it tells the images, not those of a step. */
function withBatchSize(captured: CapturedUpdate, batchSize: number | null): CapturedUpdate {
  if (batchSize === null || captured.manifest.localSteps > 1) return captured;
  return { ...captured, manifest: { ...captured.manifest, batchSize } };
}

function grantedLabels({ labels, source }: Truth, images: number): readonly number[] {
  if (labels?.length === images) return labels;
  return fail({
    who: "audit grants",
    must: `the truth must have a class for each of the ${images} images that are looked for`,
    got: labels ? `${labels.length} classes in ${source}` : `no classes in ${source}`,
    remedy: "Lay the images out as DIR/<class>/<image>, or do without the grant.",
  });
}

function untold(captured: CapturedUpdate): never {
  const ranks = layerRows(captured).flatMap(({ rank }) => (rank === null ? [] : [rank]));
  const least = ranks.length === 0 ? "" : ` The ranks of its layers say at least ${Math.max(...ranks)}.`;
  return fail({
    who: `update ${captured.folder}`,
    must: "the number of images must be known to look for them",
    got: "no batchSize in the manifest",
    remedy: `Write it there, or pass --batch.${least}`,
  });
}
