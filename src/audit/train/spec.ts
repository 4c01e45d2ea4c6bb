import { z } from "zod";
import { BUFFER_RULES, type BufferRule } from "../../fl/index.ts";
import { parseDevice } from "../../runtime/index.ts";
import { fail } from "../../util/index.ts";
import { partitionRule, USUAL_CLIENTS, withAlpha } from "../partition-spec.ts";
import { refuse } from "../schema-error.ts";
import { IMAGE_SETS, MOST_THREADS } from "../spec.ts";
import { completeDefences } from "./defence-spec.ts";

/** What a training is asked to do, complete: with the same program the same spec gives the same weights. Plain JSON. */
export type TrainSpec = z.output<typeof trainSpec>;
/** A spec as a user may write it: whatever is missing takes its default. */
export type TrainRequest = z.input<typeof trainSpec>;

/** How a model is trained, with one line on each. */
export const TRAININGS = {
  centralised: "one machine that has all images",
  fedsgd: "each round some clients send the gradient of one batch, and the server takes one step",
  fedavg: "each round some clients train by themselves, and the server averages their weights",
} as const;

export type TrainingName = keyof typeof TRAININGS;

const whole = (least: number) => z.int().min(least).describe(`a whole number ≥ ${least}`);
const share = z.number().gt(0).lte(1).describe("a number over 0, at most 1");
const positive = z.number().gt(0).describe("a number > 0");
const options = z.record(z.string(), z.json()).default({}).describe("options by name");
const file = z.string().min(1).nullable().default(null).describe("a path or null");

const model = z.strictObject({
  name: z.string().min(1).default("resnet10").describe("the name of a model"),
  options,
  /** A safetensors file to begin with; null: drawn from the seed. */
  weights: file,
});

const data = z.strictObject({
  name: z.enum(IMAGE_SETS).default("embedded").describe(IMAGE_SETS.join(" or ")),
  /** Folders or files, one after the other; none for the embedded photographs. */
  paths: z.array(z.string().min(1)).default([]).describe("a list of paths"),
  size: whole(1).nullable().default(null).describe("a whole number ≥ 1 or null"),
  /** Of the images, drawn from the seed: no client has them; accuracy is measured on them. */
  publicShare: z.number().gt(0).lt(1).default(0.1).describe("a number between 0 and 1"), // our choice
  /** A further file or folder of the same kind, for the accuracy at the end. */
  test: file,
});

const optimiser = z.strictObject({
  learningRate: positive.default(0.05), // our choice: trains ResNet10 on CIFAR-10 without diverging
  momentum: z.number().min(0).lt(1).default(0).describe("a number from 0 to below 1"),
  weightDecay: z.number().min(0).default(5e-4).describe("a number ≥ 0"), // He et al. 2016 take 1e-4; 5e-4 is common on CIFAR
  /** The greatest norm of a gradient, over all parameters together; larger ones are scaled down. null: any. */
  clip: positive.nullable().default(null).describe("a number > 0 or null"),
  /** The factor on the learning rate by steps (centralised) or rounds. */
  schedule: z.enum(["cosine", "step", "constant"]).default("cosine").describe("cosine, step or constant"), // our choice
});

const capture = z.strictObject({ client: whole(0), rounds: z.array(whole(0)).min(1).describe("a list of rounds") });

const federation = z.strictObject({
  /** U */
  clients: whole(1).default(USUAL_CLIENTS),
  /** Of the clients, drawn anew each round; at least one takes part. */
  share: share.default(0.1), // C of McMahan et al. 2017
  /** A client's steps a round; null: as many as `localEpochs` make. */
  localSteps: whole(1).nullable().default(null).describe("a whole number ≥ 1 or null"),
  localEpochs: whole(1).default(1), // our choice
  bnBuffers: z
    .enum(Object.keys(BUFFER_RULES) as [BufferRule, ...BufferRule[]])
    .default("averaged")
    .describe(Object.keys(BUFFER_RULES).join(" or ")),
  /** What FedAvg's clients send: their weights, or what they have changed; the average is the same. */
  send: z.enum(["weights", "delta"]).default("weights").describe("weights or delta"), // as Flower does
  partition: partitionRule.prefault({}),
  /** What every client does to what it sends, in this order. */
  defences: z
    .array(z.strictObject({ name: z.string().min(1), settings: options }))
    .default([])
    .describe("a list of objects with name and settings"),
  /** What this client would send in these rounds is written as a captured update. */
  capture: capture.nullable().default(null).describe("a client and its rounds, or null"),
});

const trainSpec = z.strictObject({
  training: z
    .enum(Object.keys(TRAININGS) as [TrainingName, ...TrainingName[]])
    .default("fedavg")
    .describe(Object.keys(TRAININGS).join(" or ")),
  model: model.prefault({}),
  data: data.prefault({}),
  /** Steps (centralised) or rounds. */
  length: whole(1).default(100), // our choice
  batchSize: whole(1).default(32), // our choice
  /** How BatchNorm normalises while training. */
  batchNorm: z.enum(["train", "eval"]).default("train").describe("train or eval"),
  optimiser: optimiser.prefault({}),
  federation: federation.prefault({}),
  /** Steps or rounds between checkpoints. */
  checkpointEvery: whole(1).default(50), // our choice
  /** Steps or rounds between measurements of the accuracy; null: a tenth of the length. */
  evaluateEvery: whole(1).nullable().default(null).describe("a whole number ≥ 1 or null"),
  device: z.string().default("cpu").describe("the name of a device"),
  /** Processor threads; 0: one a core, as the runtime counts them. */
  threads: whole(0).max(MOST_THREADS).default(0).describe(`a whole number from 0 to ${MOST_THREADS}`),
  seed: whole(0).default(0),
});

/** The request with every default filled in and checked. Throws FedleakError at the first entry that is unknown or wrong. */
export function completeTrainSpec(request: TrainRequest): TrainSpec {
  const parsed = trainSpec.safeParse(request);
  if (!parsed.success) return refuse(parsed.error, { schema: trainSpec, request, who: "train" });
  const spec = parsed.data;
  parseDevice(spec.device);
  const { name, paths } = spec.data;
  if ((paths.length === 0) !== (name === "embedded")) {
    fail({
      who: "train data",
      must: name === "embedded" ? "the embedded photographs have no path" : `${name} needs a path`,
      got: paths.join(", ") || "none",
      remedy: "Name the data and its paths, or neither.",
    });
  }
  checkCapture(spec);
  checkFedSgd(spec);
  const { federation } = spec;
  return withDefences({ ...spec, federation: { ...federation, partition: withAlpha(federation.partition) } });
}

function withDefences(spec: TrainSpec): TrainSpec {
  const defences = completeDefences(spec.federation.defences);
  if (spec.training === "centralised" && defences.length > 0) {
    fail({
      who: "train --defence",
      must: "only a federation's clients defend what they send",
      got: "--centralised",
      remedy: "Leave one of them away.",
    });
  }
  return { ...spec, federation: { ...spec.federation, defences } };
}

function checkCapture({ training, length, federation: { clients, capture } }: TrainSpec): void {
  if (capture === null) return;
  const complainOf = (must: string, got: string) => fail({ who: "train --capture", must, got, remedy: "Change it." });
  if (training === "centralised") complainOf("only a federation's client sends an update", "--centralised");
  if (capture.client >= clients) complainOf(`client must be 0 to ${clients - 1}`, `${capture.client}`);
  const late = capture.rounds.find((round) => round >= length);
  if (late !== undefined) complainOf(`rounds must be 0 to ${length - 1}`, `${late}`);
}

function checkFedSgd({ training, federation: { localSteps, localEpochs, bnBuffers } }: TrainSpec): void {
  if (training !== "fedsgd") return;
  const complainOf = (who: string, must: string, got: string, remedy: string) => fail({ who, must, got, remedy });
  if ((localSteps ?? 1) !== 1 || localEpochs !== 1) {
    const got = localSteps === null ? `${localEpochs} epochs` : `${localSteps} steps`;
    complainOf("train --algorithm fedsgd", "a client sends the gradient of one step", got, "Use --algorithm fedavg.");
  }
  if (bnBuffers === "local-layers") {
    const must = "layers can only stay with clients that train them";
    complainOf("train --bn-buffers", must, "local-layers with fedsgd", "Use local, or --algorithm fedavg.");
  }
}
