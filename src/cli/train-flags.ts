import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { completeTrainSpec, MOST_THREADS, TRAININGS, type TrainRequest } from "../audit/index.ts";
import { PARTITIONS } from "../data/index.ts";
import { DEFENCES } from "../defences/index.ts";
import { BUFFER_RULES } from "../fl/index.ts";
import { MODELS } from "../models/index.ts";
import { DEVICES } from "../runtime/index.ts";
import { fail, kebab } from "../util/index.ts";
import { defenceFrom } from "./defence-flag.ts";
import { notNegative, wholeFrom } from "./flag-values.ts";
import { pathList } from "./path-list.ts";
import { placeOf } from "./place.ts";

/** Declares on a command every flag that says what to train and how; `trainRequest` reads them back. */
export function declareTrainFlags(command: Command): Command {
  const spec = completeTrainSpec({}); // for the defaults that help shows
  const declare =
    (group: string) =>
    (flags: string, about: string, shape: (option: Option) => Option = (o) => o) =>
      command.addOption(shape(new Option(flags, about).helpGroup(`${group}:`)));
  const names = (table: object) => Object.keys(table).join(", ");

  const data = declare("Data (default: embedded photographs)");
  const sets = Object.keys(DATA_FLAGS);
  const oneOf = (name: string) => (option: Option) => option.conflicts(sets.filter((other) => other !== name));
  data("--images <dirs>", "folders with DIR/<class>/<image>, separated by commas", oneOf("images"));
  data("--mnist <paths>", "idx images files with their labels files beside them, or their folders", oneOf("mnist"));
  data("--cifar10 <files>", "CIFAR-10 binary files, separated by commas", oneOf("cifar10"));
  data("--cifar100 <files>", "CIFAR-100 binary files, separated by commas", oneOf("cifar100"));
  data("--size <pixels>", "scale images to a square of this side", whole(1));
  data("--public <share>", `share of the images nobody trains on (default: ${spec.data.publicShare})`, number);
  data("--test <file>", "more images of the same kind, for the accuracy at the end");

  const model = declare("Model");
  model("--model <name>", `${names(MODELS)} (default: ${spec.model.name})`);
  model(
    "--weights <file>",
    "weights to begin with: safetensors, npz, ONNX or hub:<owner>/<name>/<file> (default: drawn from the seed)",
  );
  model("--width <n>", "channels of a resnet's first stage", whole(1));
  model("--width-multiplier <x>", "channels of mobilenet-v2, as a multiple of its own", number);
  model("--patch <pixels>", "side of a vit's patches (default: 16)", whole(1));
  model("--hidden <n>", "units of each hidden layer of mlp3", whole(1));
  model("--classes <n>", "classes of the model (default: those of the data)", whole(1));
  model("--activation <name>", "relu or sigmoid");
  model("--bn-mode <mode>", `BatchNorm in train or eval mode (default: ${spec.batchNorm})`);

  const training = declare("Training");
  training("--centralised", "train on one machine instead of in a federation");
  training("--algorithm <name>", `${names(TRAININGS)} (default: ${spec.training})`, (o) => o.conflicts("centralised"));
  training("--steps <n>", "steps, with --centralised (default: 1500)", whole(1));
  training("--rounds <n>", `rounds of a federation (default: ${spec.length})`, whole(1));
  training("--batch <n>", `images a step (default: ${spec.batchSize})`, whole(1));
  training("--lr <x>", `learning rate (default: ${spec.optimiser.learningRate})`, number);
  training("--momentum <x>", "momentum of SGD (default: 0.9 centralised, 0 in a federation)", number);
  training("--weight-decay <x>", `weight decay of SGD (default: ${spec.optimiser.weightDecay})`, number);
  training("--clip <norm>", "greatest norm of a gradient (default: any)", number);
  training("--schedule <name>", `cosine, step or constant (default: ${spec.optimiser.schedule})`);

  const federation = declare("Federation");
  const { federation: fed } = spec;
  federation("--clients <n>", `clients (default: ${fed.clients})`, whole(1));
  federation("--share <x>", `share of the clients drawn each round (default: ${fed.share})`, number);
  federation("--local-steps <n>", "steps of a client a round (default: as the epochs make)", (o) =>
    whole(1)(o).conflicts("localEpochs"),
  );
  federation("--local-epochs <n>", `epochs of a client a round (default: ${fed.localEpochs})`, whole(1));
  federation("--partition <name>", `${names(PARTITIONS)} (default: ${fed.partition.name})`);
  federation("--classes-per-client <n>", `of label-skew (default: ${fed.partition.classesPerClient})`, whole(1));
  federation("--alpha <x>", "of dirichlet (default: 0.5) and quantity-skew (default: 2)", number);
  federation("--bn-buffers <name>", `${names(BUFFER_RULES)} (default: ${fed.bnBuffers})`);
  federation("--send <what>", `weights or delta, from clients that train (default: ${fed.send})`);
  federation(
    "--defence <name[:key=value,...]>",
    `what clients do to what they send: ${names(DEFENCES)}; may be given several times, applied in that order`,
    (o) => o.argParser((text, before?: readonly unknown[]) => [...(before ?? []), defenceFrom(text)]),
  );
  federation("--capture <what>", "write what a client sends: client=3,round=0,20", (o) => o.argParser(captureOf));

  const run = declare("Run");
  run("--seed <n>", `seed of every random draw (default: ${spec.seed})`, whole(0));
  run("--device <name>", `${names(DEVICES)} (default: ${spec.device})`);
  run("--threads <n>", "processor threads (default: one a core)", whole(0, MOST_THREADS));
  run("--checkpoint-every <n>", `steps or rounds between checkpoints (default: ${spec.checkpointEvery})`, whole(1));
  run("--evaluate-every <n>", "steps or rounds between measurements (default: a tenth of all)", whole(1));
  return command;
}

/** What the flags ask for. Paths are made absolute, so that a training can be continued from anywhere. */
export function trainRequest(flags: Readonly<Record<string, unknown>>): TrainRequest {
  const centralised = flags.centralised === true || flags.algorithm === "centralised";
  const foreign = (centralised ? FEDERATED_ONLY : CENTRALISED_ONLY).find((name) => flags[name] !== undefined);
  if (foreign !== undefined) {
    fail({
      who: `train --${kebab(foreign)}`,
      must: `the flag belongs to a ${centralised ? "federation" : "centralised training"}`,
      got: `a ${centralised ? "centralised training" : "federation"}`,
      remedy: centralised ? "Leave it or --centralised away." : "Add --centralised, or use --rounds.",
    });
  }
  const path = (value: unknown) => (value === undefined ? undefined : resolve(value as string));
  const set = Object.entries(DATA_FLAGS).find(([name]) => flags[name] !== undefined);
  const paths = set && pathList(flags[set[0]] as string, `--${set[0]}`);
  const { width, widthMultiplier, patch, hidden, classes, activation, partition, classesPerClient, alpha } = flags;
  return given({
    training: centralised ? "centralised" : flags.algorithm,
    model: given({
      name: flags.model,
      weights: flags.weights === undefined ? undefined : placeOf(flags.weights as string),
      options: given({ width, widthMultiplier, patch, hidden, classes, activation }),
    }),
    data: given({
      ...(set && { name: set[1], paths }),
      size: flags.size,
      publicShare: flags.public,
      test: path(flags.test),
    }),
    length: centralised ? (flags.steps ?? STEPS) : flags.rounds,
    batchSize: flags.batch,
    batchNorm: flags.bnMode,
    optimiser: given({
      learningRate: flags.lr,
      momentum: flags.momentum ?? (centralised ? MOMENTUM : undefined),
      weightDecay: flags.weightDecay,
      clip: flags.clip,
      schedule: flags.schedule,
    }),
    federation: given({
      clients: flags.clients,
      share: flags.share,
      localSteps: flags.localSteps,
      localEpochs: flags.localEpochs,
      bnBuffers: flags.bnBuffers,
      send: flags.send,
      partition: given({ name: partition, classesPerClient, alpha }),
      defences: flags.defence,
      capture: flags.capture,
    }),
    checkpointEvery: flags.checkpointEvery,
    evaluateEvery: flags.evaluateEvery,
    device: flags.device,
    threads: flags.threads,
    seed: flags.seed,
  }) as TrainRequest; // completeTrainSpec checks every entry
}

const STEPS = 1500; // our choice: ResNet10 past 70 % on CIFAR-10 in minutes
const MOMENTUM = 0.9; // He et al. 2016
const CENTRALISED_ONLY = ["steps"];
const FEDERATED_ONLY = [
  ...["rounds", "clients", "share", "localSteps", "localEpochs", "partition", "classesPerClient", "alpha"],
  ...["bnBuffers", "send", "defence", "capture"],
];

/** The data set that each flag names. */
const DATA_FLAGS: Readonly<Record<string, string>> = {
  images: "image-folder",
  mnist: "mnist",
  cifar10: "cifar10",
  cifar100: "cifar100",
};

/** `client=3,round=0,20` → client 3, rounds 0 and 20. */
function captureOf(text: string): { client: number; rounds: number[] } {
  const found = /^client=(\d+),rounds?=(\d+(?:,\d+)*)$/.exec(text.replaceAll(" ", ""));
  if (!found) throw new InvalidArgumentError("It must be like client=3,round=0,20.");
  const rounds = [...new Set(found[2]!.split(",").map(Number))].sort((a, b) => a - b);
  return { client: Number(found[1]), rounds };
}

function given(entries: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}

function whole(least: number, most?: number): (option: Option) => Option {
  return (option) => option.argParser(wholeFrom(least, most));
}

function number(option: Option): Option {
  return option.argParser(notNegative);
}
