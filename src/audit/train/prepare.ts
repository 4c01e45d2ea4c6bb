import type { Weights } from "../../fl/index.ts";
import { buildModel } from "../../models/index.ts";
import { initialise, type Model } from "../../nn/index.ts";
import { type Device, parseDevice } from "../../runtime/index.ts";
import { fail, type Key, key, split } from "../../util/index.ts";
import { canonicalJson, fingerprint } from "../fingerprint.ts";
import { openWeights } from "../open-weights.ts";
import { openTrainingData, publicSplit, type TrainingData } from "./data.ts";
import type { TrainSpec } from "./spec.ts";

/** Everything a training stands on before its first step. */
export interface Training {
  /** With the model's options complete. */
  readonly spec: TrainSpec;
  readonly model: Model;
  readonly device: Device;
  readonly data: TrainingData;
  /** Indices that nobody trains on. */
  readonly open: readonly number[];
  /** Indices to train on. */
  readonly closed: readonly number[];
  readonly test: TrainingData | undefined;
  readonly weights: Weights;
  /** In words: drawn, or from which file. */
  readonly weightsAbout: string;
  /** Of the spec; a training that goes on must have the same. */
  readonly specPrint: string;
  /** Of labels, some of the images, and the first weights. */
  readonly inputsPrint: string;
}

/** What the random draws of a training are for; each has its own key. */
export function trainKey(
  spec: Pick<TrainSpec, "seed">,
  purpose: "public" | "weights" | "batches" | "clients" | "partition" | "defence",
): Key {
  return split(key(spec.seed), purpose);
}

/** Reads data and weights and builds the model. Nothing is written. Throws FedleakError when anything does not exist or fit. */
export async function prepareTraining(asked: TrainSpec): Promise<Training> {
  const device = parseDevice(asked.device);
  const data = await openTrainingData(asked.data);
  const { test: testPath } = asked.data;
  const test = testPath === null ? undefined : await openTrainingData({ ...asked.data, paths: [testPath] });
  const { open, closed } = publicSplit(data.labels.length, asked.data.publicShare, trainKey(asked, "public"));
  const model = modelFor(asked, data, test);
  const { weights, about } = await weightsFor(asked, model);
  const spec: TrainSpec = {
    ...asked,
    model: { ...asked.model, options: JSON.parse(JSON.stringify(model.options)) },
  };
  const sample = await data.take(evenly(data.labels.length, SAMPLED));
  return {
    ...{ spec, model, device, data, open, closed, test, weights, weightsAbout: about },
    specPrint: await fingerprint(canonicalJson(printed(spec))),
    inputsPrint: await fingerprint(data.labels.join(), sample.images, weights.params, weights.buffers),
  };
}

/** Without an empty list of defences: so trainings of before there were any can go on. */
function printed({ federation: { defences, ...federation }, ...rest }: TrainSpec): unknown {
  return { ...rest, federation: defences.length === 0 ? federation : { ...federation, defences } };
}

const SAMPLED = 64; // images in the fingerprint; our choice: all would be hashed for seconds

function evenly(count: number, most: number): number[] {
  const size = Math.min(count, most);
  return Array.from({ length: size }, (_, i) => Math.floor((i * count) / size));
}

function modelFor({ model: asked }: TrainSpec, data: TrainingData, test?: TrainingData): Model {
  const { classNames, imageShape, source } = data;
  if (
    test !== undefined &&
    (test.imageShape.join() !== imageShape.join() || test.classNames.join() !== classNames.join())
  ) {
    fail({
      who: `train --test ${test.source}`,
      must: `size and classes must be those of ${source}`,
      got: `${test.imageShape.join("×")}, ${test.classNames.length} classes`,
      remedy: "Pass the test part of the same data set.",
    });
  }
  if (classNames.length < 2 && asked.options.classes === undefined) {
    fail({
      who: `data ${source}`,
      must: "a model tells at least two classes apart",
      got: `one, "${classNames.join()}"`,
      remedy: "Pass --classes 2, or add a folder with images of another class.",
    });
  }
  const model = buildModel(asked.name, { inputShape: imageShape, classes: classNames.length, ...asked.options });
  if (model.classes < classNames.length) {
    fail({
      who: `model ${model.name}`,
      must: `classes must be at least the number of classes of ${source} (${classNames.length})`,
      got: `${model.classes}`,
      remedy: "Leave --classes away, or use data with fewer classes.",
    });
  }
  return model;
}

async function weightsFor(spec: TrainSpec, model: Model): Promise<{ weights: Weights; about: string }> {
  const file = spec.model.weights;
  if (file === null) return { weights: initialise(model, trainKey(spec, "weights")), about: "drawn from the seed" };
  const { weights, source, notes } = await openWeights(file, model, trainKey(spec, "weights"));
  return { weights, about: [source, ...notes].join("; ") };
}
