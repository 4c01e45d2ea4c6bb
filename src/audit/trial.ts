import {
  type AttackRun,
  type AttackSettings,
  checkPrior,
  completeSettings,
  findAttack,
  type Preset,
  prepareAttack,
} from "../attacks/index.ts";
import type { LabelledImages } from "../data/index.ts";
import { chain, link } from "../defences/index.ts";
import { type Observation, observe, type Weights } from "../fl/index.ts";
import { buildModel } from "../models/index.ts";
import { initialise, type Model } from "../nn/index.ts";
import { type Device, type ProgramCache, type ProgramStore, parseDevice, programCache } from "../runtime/index.ts";
import { fail, type Key, key as keyOf, split } from "../util/index.ts";
import { drawPrivate, type Holder, type Holdings, holdingsOf } from "./clients.ts";
import { canonicalJson, fingerprint } from "./fingerprint.ts";
import { type LoadedLpips, readLpips } from "./lpips-file.ts";
import { type ImageSource, openImages } from "./open-images.ts";
import { openWeights } from "./open-weights.ts";
import { drawsWeights, isOwnModel, ownModel } from "./own-model.ts";
import { type LoadedPrior, loadPrior } from "./prior/load.ts";
import type { RunSpec } from "./spec.ts";

/** Everything a run stands on before the attack begins, the truth included. */
export interface Trial {
  /** With the model's options and the attack's settings complete. */
  readonly spec: RunSpec;
  readonly preset: Preset;
  readonly settings: AttackSettings;
  readonly model: Model;
  readonly device: Device;
  readonly source: ImageSource;
  /** The private images of all local steps, [S·B,C,H,W], and where its images stand in the source. */
  readonly truth: LabelledImages;
  readonly indices: readonly number[];
  /** The images of every client, and the client that the private ones are of; undefined: the data are not partitioned. */
  readonly holdings: Holdings | undefined;
  readonly holder: Holder | undefined;
  readonly weights: Weights;
  /** In words: drawn, or from which file. */
  readonly weightsAbout: string;
  /** What the attack learned from public images; undefined: nothing, or the attack has no use for it. */
  readonly prior: LoadedPrior | undefined;
  /** What LPIPS is measured with; undefined: it is not. */
  readonly lpips: LoadedLpips | undefined;
  readonly observation: Observation;
  /** The client's program, kept for the mismatched floor; empty when that is not asked for. */
  readonly programs: ProgramCache;
  /** Where programs are kept between processes; undefined: nowhere. */
  readonly store: ProgramStore | undefined;
  /** Of the spec; a run that is resumed must have the same. */
  readonly specPrint: string;
  /** Of batch, weights and prior. */
  readonly inputsPrint: string;
  /** Of what is the same for every attack on this batch: images and labels; weights and buffers. */
  readonly sharedPrints: { readonly batch: string; readonly weights: string };
}

/** What the random draws of a run are for; each has its own key. */
export function runKey(
  spec: RunSpec,
  purpose: "batch" | "weights" | "defence" | "attack" | "mismatched" | "partition" | "client",
): Key {
  return split(keyOf(spec.seed), purpose);
}

/**
 * Reads the data, draws the batch, builds the model and computes what the client sends and the server sees.
 *
 * Nothing is written but programs to the store. The same spec gives the same trial. Throws FedleakError when anything does not exist or fit.
 */
export async function prepareTrial(asked: RunSpec, store?: ProgramStore): Promise<Trial> {
  const preset = findAttack(asked.attack.name);
  const settings = completeSettings(preset, asked.attack.settings as Parameters<typeof completeSettings>[1]);
  const device = parseDevice(asked.device);
  const source = await openImages(asked.data);
  const { labels } = source;
  const holdings = await holdingsOf(asked, source, runKey(asked, "partition"));
  const count = asked.client.batchSize * asked.client.localSteps;
  const keys = { batch: runKey(asked, "batch"), client: runKey(asked, "client") };
  const { indices, holder } = drawPrivate(asked, { labels, holdings }, { count, keys });
  const truth = await source.take(indices);
  const model = await modelFor(asked, truth);
  const { weights, about } = await weightsFor(asked, model);
  const prior = await priorFor(asked, settings, model);
  const lpips = asked.measure.lpips === null ? undefined : await readLpips(asked.measure.lpips);
  const spec: RunSpec = {
    ...asked,
    attack: { ...asked.attack, name: preset.name, settings: { ...settings } },
    model: { ...asked.model, options: JSON.parse(JSON.stringify(model.options)) },
  };
  const programs = programCache(store);
  const key = runKey(spec, "defence");
  const observation = await observed(spec, { model, weights, batch: truth, programs, key });
  if (!spec.measure.mismatchedFloor) await programs.release();
  return {
    spec,
    preset,
    settings,
    model,
    device,
    source,
    truth,
    indices,
    holdings,
    holder,
    weights,
    weightsAbout: about,
    prior,
    lpips,
    observation,
    programs,
    store,
    specPrint: await fingerprint(canonicalJson(printed(spec))),
    inputsPrint: await fingerprint(
      ...[truth.images, truth.labels.join(), weights.params, weights.buffers],
      ...(prior ? [prior.fingerprint] : []),
    ),
    sharedPrints: {
      batch: await fingerprint(truth.images, truth.labels.join()),
      weights: await fingerprint(weights.params, weights.buffers),
    },
  };
}

/** Without entries of partitions and tables where there are none: so runs of before there were any can go on. */
function printed({ data, ...rest }: RunSpec): unknown {
  const absent = (name: string, value: unknown) => value === null && ["partition", "target", "columns"].includes(name);
  return { ...rest, data: Object.fromEntries(Object.entries(data).filter(([name, value]) => !absent(name, value))) };
}

/** One round of a client that holds `batch` and defends itself as the spec says, seen with the spec's grants. */
export async function observed(
  spec: RunSpec,
  {
    model,
    weights,
    batch,
    programs,
    key,
  }: Pick<Trial, "model" | "weights" | "programs"> & {
    readonly batch: Pick<LabelledImages, "images" | "labels">;
    /** What the defences draw from. */
    readonly key: Key;
  },
): Promise<Observation> {
  const { localSteps: steps, localLearningRate: learningRate } = spec.client;
  const defended = chain(...spec.client.defences.map(({ name, settings }) => link(name, settings)));
  const sent = await defended(
    {
      model,
      weights,
      images: batch.images,
      labels: batch.labels,
      mode: spec.client.batchNorm,
      ...(steps > 1 && { local: { steps, learningRate } }),
      device: parseDevice(spec.device),
      threads: spec.threads,
      compile: programs.compile,
    },
    key,
  );
  const broken = Object.entries(sent.update).find(([, t]) => !t.data.every(Number.isFinite));
  if (broken || !Number.isFinite(sent.loss)) {
    fail({
      who: "client",
      must: "its loss and every number of its update must be finite",
      got: broken ? `NaN or infinity in the gradient of ${broken[0]}` : `loss ${sent.loss}`,
      remedy: "Check the weights: this model has overflowed on this batch.",
    });
  }
  return observe(sent, spec.client.grants);
}

/** The attack of a trial on the trial's observation; of another one, when that stands in its place. */
export function compileAttack(trial: Trial): Promise<AttackRun> {
  const { model, observation, preset, settings, device, spec, prior, source, store } = trial;
  return prepareAttack({
    model,
    observation,
    attack: preset,
    settings,
    key: runKey(spec, "attack"),
    device,
    threads: spec.threads,
    store,
    columns: source.table?.columns,
    ...(prior && { prior: prior.prior }),
  });
}

async function modelFor(spec: RunSpec, { images, classNames, source }: LabelledImages): Promise<Model> {
  const inputShape = images.shape.slice(1);
  if (classNames.length < 2 && spec.model.options.classes === undefined) {
    fail({
      who: `data ${spec.data.path ?? source}`,
      must: "a model tells at least two classes apart",
      got: `one, "${classNames.join()}"`,
      remedy: "Pass --classes 2, or add a folder with images of another class.",
    });
  }
  const model = isOwnModel(spec.model)
    ? await ownModel(spec.model, { inputShape, mode: spec.client.batchNorm })
    : buildModel(spec.model.name, { inputShape, classes: classNames.length, ...spec.model.options });
  if (model.classes < classNames.length) {
    fail({
      who: `model ${model.name}`,
      must: `classes must be at least the number of classes of ${source} (${classNames.length})`,
      got: `${model.classes}`,
      remedy: "Leave --classes away, or use data with fewer classes.",
    });
  }
  if (model.inputShape.join() !== inputShape.join()) {
    fail({
      who: `model ${model.name}`,
      must: `inputShape must be that of the images, [${inputShape.join(",")}]`,
      got: `[${model.inputShape.join(",")}]`,
      remedy: "Leave it away: it is taken from the data.",
    });
  }
  return model;
}

async function weightsFor(spec: RunSpec, model: Model): Promise<{ weights: Weights; about: string }> {
  const file = spec.model.weights;
  if (file === null) {
    const about = drawsWeights(spec)
      ? "initial, drawn from the seed (round 0)"
      : "those in the ONNX file, round not stated";
    return { weights: initialise(model, runKey(spec, "weights")), about };
  }
  const { weights, source, notes } = await openWeights(file, model, runKey(spec, "weights"));
  return { weights, about: [`${source}, round not stated`, ...notes].join("; ") };
}

/** The prior that the spec names, where the attack uses one. */
async function priorFor(
  { attack, client }: RunSpec,
  { parameterisation, restore }: AttackSettings,
  { inputShape, classes }: Model,
): Promise<LoadedPrior | undefined> {
  if (attack.prior === null || (parameterisation !== "latent" && !restore)) return undefined;
  const loaded = await loadPrior(attack.prior);
  checkPrior(loaded.prior, { granted: client.grants, inputShape, classes });
  return loaded;
}
