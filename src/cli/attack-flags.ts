import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { ATTACKS, rangeOf, SETTINGS, type SettingSpec } from "../attacks/index.ts";
import { AUTO, completeSpec, MOST_THREADS, type RunRequest } from "../audit/index.ts";
import { DEFENCES } from "../defences/index.ts";
import { CAPABILITIES, DEFAULT_GRANTS } from "../fl/index.ts";
import { MODELS } from "../models/index.ts";
import { ACTIVATIONS } from "../nn/index.ts";
import { DEVICES } from "../runtime/index.ts";
import { kebab } from "../util/index.ts";
import { defenceFrom } from "./defence-flag.ts";
import { notNegative, wholeFrom } from "./flag-values.ts";
import { declarePartition, partitionOf } from "./partition-flags.ts";
import { placeOf } from "./place.ts";

/** Declares on a command every flag that says what to attack and how; `requestOf` reads them back. */
export function declareAttackFlags(command: Command): Command {
  const spec = completeSpec({}); // for the defaults that help shows
  const declare =
    (group: string) =>
    (flags: string, about: string, shape: (option: Option) => Option = (o) => o) =>
      command.addOption(shape(new Option(flags, about).helpGroup(`${group}:`)));

  const data = declare("Data (default: embedded photographs)");
  const sets = Object.keys(DATA_FLAGS);
  const oneOf = (name: string) => (option: Option) => option.conflicts(sets.filter((other) => other !== name));
  data("--images <dir>", "folder with DIR/<class>/<image>, png, jpg or webp", oneOf("images"));
  data("--mnist <path>", "idx images file with its labels file beside it, or their folder", oneOf("mnist"));
  data("--cifar10 <file>", "CIFAR-10 binary file", oneOf("cifar10"));
  data("--cifar100 <file>", "CIFAR-100 binary file", oneOf("cifar100"));
  data("--table <file>", "CSV file with named columns: rows take the place of images", oneOf("table"));
  data("--target <column>", "of a table: the column with the classes");
  data("--columns <file>", "of a table: JSON that declares the columns (default: as the table shows them)");
  data("--size <pixels>", "scale images to a square of this side", from(1));
  data("--batch <n>", `images in the client's batch, of each local step (default: ${spec.client.batchSize})`, from(1));
  data(
    "--draw <how>",
    `one-per-class or uniform: may labels repeat? (default: ${spec.data.draw}, of one client uniform)`,
  );
  declarePartition(declare("Client of a partitioned federation"));

  const client = declare("Client");
  client(
    "--model <name>",
    `${Object.keys(MODELS).join(", ")}, or an ONNX file of your own (default: ${spec.model.name})`,
  );
  client(
    "--mean <list>",
    "of an ONNX file: it is fed (x − mean)/std, a number a channel, separated by commas",
    numbers,
  );
  client("--std <list>", "see --mean", numbers);
  client(
    "--weights <file>",
    "trained weights: safetensors, npz, ONNX or hub:<owner>/<name>/<file> (default: drawn from the seed)",
  );
  client("--width <n>", "channels of the first stage of a resnet or convnet, or of a vit's tokens", from(1));
  client("--width-multiplier <x>", "channels of mobilenet-v2, as a multiple of its own", (option) =>
    option.argParser(notNegative),
  );
  client("--patch <pixels>", "side of a vit's patches (default: 16)", from(1));
  client("--hidden <n>", "units of each hidden layer of mlp3, or of a vit's blocks", from(1));
  client("--classes <n>", "classes of the model (default: those of the data)", from(1));
  client("--activation <name>", Object.keys(ACTIVATIONS).join(", "));
  client("--weight-init <name>", "torch or dlg-uniform, for lenet-sigmoid; fresh-head or torchvision, for a vit");
  client("--bn-mode <mode>", `BatchNorm in train or eval mode (default: ${spec.client.batchNorm})`);
  client(
    "--local-steps <n>",
    `steps of SGD, each on other images, before it sends (default: ${spec.client.localSteps})`,
    from(1),
  );
  client(
    "--local-learning-rate <x>",
    `learning rate of several local steps (default: ${spec.client.localLearningRate})`,
    (option) => option.argParser(notNegative),
  );
  client(
    "--defence <name[:key=value,...]>",
    `${Object.keys(DEFENCES).join(", ")}; may be given several times, applied in that order`,
    (option) => option.argParser((text, before?: readonly unknown[]) => [...(before ?? []), defenceFrom(text)]),
  );

  const attack = declare("Attack");
  attack("--attack <name>", `${Object.keys(ATTACKS).join(", ")}, or ${AUTO} (default: ${spec.attack.name})`);
  attack(
    "--grant <list>",
    `what the server knows beside ${DEFAULT_GRANTS.join(", ")}, separated by commas: ${Object.keys(CAPABILITIES)
      .filter((name) => !DEFAULT_GRANTS.includes(name as keyof typeof CAPABILITIES))
      .join(", ")}`,
  );

  attack(
    "--prior <path>",
    "folder of a trained prior (fedleak train-prior), or an ONNX file of a generator; for ggl, rog",
  );

  const run = declare("Run");
  run("--seed <n>", `seed of every random draw (default: ${spec.seed})`, from(0));
  run("--device <name>", `${Object.keys(DEVICES).join(", ")} (default: ${spec.device})`);
  run("--threads <n>", "processor threads (default: one a core)", from(0, MOST_THREADS));
  run("--checkpoint-every <n>", `iterations between checkpoints (default: ${spec.checkpointEvery})`, from(1));
  run("--mismatched-floor", "also attack another batch's update, as a control; doubles the time");
  run("--peek [n]", `show the true PSNR every n iterations (${PEEK}); the attack never sees it`, (option) =>
    from(1)(option).preset(PEEK),
  );

  run(
    "--lpips <files...>",
    "also measure LPIPS: safetensors of its backbone and linear weights, or hub:<owner>/<name>/<file>",
  );

  return declareSettings(command);
}

/** Declares a flag for every setting of an attack; `settingsOf` reads them back. */
export function declareSettings(command: Command): Command {
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const about = `${setting.about}${rangeText(setting)}`;
    command.addOption(new Option(`--${kebab(name)} ${placeholder(setting)}`, about).helpGroup(SETTINGS_GROUP));
  }
  return command;
}

const SETTINGS_GROUP = "Settings of the attack (default: its preset's):";

/** The settings that were given, as text. */
export function settingsOf(flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return given(Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, flags[name]])));
}

/** What the flags ask for. Paths are made absolute, so that a run can be continued from anywhere. */
export function requestOf(flags: Readonly<Record<string, unknown>>): RunRequest {
  const text = (name: string) => flags[name] as string | undefined;
  const number = (name: string) => flags[name] as number | undefined;
  const flag = (name: string) => flags[name] as boolean | undefined;
  const path = (name: string) => (text(name) === undefined ? undefined : resolve(text(name)!));
  const set = Object.entries(DATA_FLAGS).find(([name]) => text(name) !== undefined);
  const grants = text("grant")
    ?.split(",")
    .map((name) => name.trim());
  const places = (flags.lpips as readonly string[] | undefined)?.map((place) =>
    place.startsWith("hub:") ? place : resolve(place),
  );
  const options = {
    width: number("width"),
    widthMultiplier: number("widthMultiplier"),
    patch: number("patch"),
    hidden: number("hidden"),
    classes: number("classes"),
    activation: text("activation"),
    init: text("weightInit"),
    ...{ mean: flags.mean, std: flags.std },
  };
  return given({
    attack: given({ name: text("attack"), settings: settingsOf(flags), prior: path("prior") }),
    model: given({
      name: modelOf(text("model")),
      weights: text("weights") && placeOf(text("weights")!),
      options: given(options),
    }),
    data: given({
      ...(set && { name: set[1], path: path(set[0]) }),
      size: number("size"),
      target: text("target"),
      columns: path("columns"),
      draw: text("draw"),
      partition: partitionOf(flags),
    }),
    client: given({
      batchSize: number("batch"),
      localSteps: number("localSteps"),
      localLearningRate: number("localLearningRate"),
      batchNorm: text("bnMode"),
      grants: grants && [...DEFAULT_GRANTS, ...grants],
      defences: flags.defence,
    }),
    measure: given({ mismatchedFloor: flag("mismatchedFloor"), peekEvery: number("peek"), lpips: places }),
    checkpointEvery: number("checkpointEvery"),
    device: text("device"),
    threads: number("threads"),
    seed: number("seed"),
  }) as RunRequest; // completeSpec checks every entry
}

const PEEK = "50"; // iterations between peeks; our choice

/** The data set that each flag names. */
export const DATA_FLAGS: Readonly<Record<string, string>> = {
  images: "image-folder",
  mnist: "mnist",
  cifar10: "cifar10",
  cifar100: "cifar100",
  table: "table",
};

/** The entries that were given. */
function given(entries: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}

/** The name of a family, or the absolute path of a file. */
function modelOf(name: string | undefined): string | undefined {
  return name?.toLowerCase().endsWith(".onnx") ? resolve(name) : name;
}

function numbers(option: Option): Option {
  return option.argParser((text) => {
    const list = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
    if (list.every(Number.isFinite)) return list;
    throw new InvalidArgumentError("It must be numbers separated by commas.");
  });
}

function from(least: number, most?: number): (option: Option) => Option {
  return (option) => option.argParser(wholeFrom(least, most));
}

function placeholder(setting: SettingSpec): string {
  if (setting.kind === "flag") return "[true|false]";
  return setting.kind === "choice" ? "<name>" : setting.kind === "number" ? "<x>" : "<n>";
}

/** The range where it says more than the placeholder: choices, and bounds that somebody may come near. */
function rangeText(setting: SettingSpec): string {
  const telling = setting.kind === "choice" || (setting.kind !== "flag" && setting.max <= NEAR);
  return telling ? ` [${rangeOf(setting)}]` : "";
}

const NEAR = 100; // our choice
