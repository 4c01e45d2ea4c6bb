import { z } from "zod";
import { chain, link } from "../defences/index.ts";
import { CAPABILITIES, type Capability, DEFAULT_GRANTS } from "../fl/index.ts";
import { parseDevice } from "../runtime/index.ts";
import { fail } from "../util/index.ts";
import { drawFor, partitionedClient, withAlpha } from "./partition-spec.ts";
import { refuse } from "./schema-error.ts";

/**
 * What a run is asked to do, complete: with the same program the same spec gives the same result.
 *
 * It is plain JSON, stored in the run's record and read again by `resume`.
 */
export type RunSpec = z.output<typeof runSpec>;
/** A spec as a user may write it: whatever is missing takes its default. */
export type RunRequest = z.input<typeof runSpec>;

/** Where images come from: the photographs npm brings along, or files. */
export const IMAGE_SETS = ["embedded", "image-folder", "mnist", "cifar10", "cifar100"] as const;
/** Images, or the rows of a table in their place. */
export const DATA_NAMES = [...IMAGE_SETS, "table"] as const;

/** What is attacked and how, where the data are a table and nothing else is asked for; our choice: the best of docs/tables.md. */
export const FOR_TABLES = { model: "mlp3", attack: "inverting-gradients" } as const;

/** More threads than any machine has cores; our choice. */
export const MOST_THREADS = 1024;

const whole = (least: number) => z.int().min(least).describe(`a whole number ≥ ${least}`);
const settings = z.record(z.string(), z.json()).default({}).describe("settings by name");
const yesOrNo = z.boolean().default(false).describe("true or false");

/** How "auto" came to an attack: within which time, and what was said of each, in the order it was looked at. */
const choice = z.strictObject({
  budgetMs: z.number().positive(),
  verdicts: z.array(z.strictObject({ attack: z.string().min(1), verdict: z.string().min(1) })),
});

const attack = z.strictObject({
  name: z.string().min(1).default("fedleak-release").describe("the name of an attack"), // the strongest preset of METHODS 1
  /** Overrides of the preset; a run stores all of its settings here. */
  settings,
  /** How the attack was chosen, where "auto" was asked for; null: it was named. */
  choice: choice.nullable().default(null).describe("an object or null"),
  /** The folder of a trained prior, or an ONNX file of a generator; null: none. */
  prior: z.string().min(1).nullable().default(null).describe("a path or null"),
});

const model = z.strictObject({
  name: z.string().min(1).default("resnet10").describe("the name of a model"), // the paper's smallest
  /** Options of its family; `inputShape` and `classes` are those of the data unless given. */
  options: settings,
  /** A safetensors file of trained weights; null: drawn from the seed. */
  weights: z.string().min(1).nullable().default(null).describe("a file name or null"),
});

const data = z.strictObject({
  name: z.enum(DATA_NAMES).default("embedded").describe(DATA_NAMES.join(" or ")),
  /** The folder or file; null for the embedded photographs. */
  path: z.string().min(1).nullable().default(null).describe("a path or null"),
  /** H = W that images are scaled to; null: their own size (32 for the embedded photographs). */
  size: whole(1).nullable().default(null).describe("a whole number ≥ 1 or null"),
  /** Of a table: the column with the classes. */
  target: z.string().min(1).nullable().default(null).describe("the name of a column or null"),
  /** Of a table: a JSON file that declares the columns; null: they are taken from the table. */
  columns: z.string().min(1).nullable().default(null).describe("a path or null"),
  /**
   * How the batch is drawn from the seed. "one-per-class" takes different classes while they last (our choice: the
   * field's usual batch, and the easier one to attack); "uniform" takes any images, so that labels may repeat. A client of
   * a partition draws uniformly.
   */
  draw: z.enum(["one-per-class", "uniform"]).default("one-per-class").describe("one-per-class or uniform"),
  /** Draw the batch from one client's images of a federation; null: from all images. */
  partition: partitionedClient.nullable().default(null).describe("an object or null"),
});

const client = z.strictObject({
  /** Of one local step. */
  batchSize: whole(1).default(4).describe("a whole number ≥ 1"), // our choice: a batch that an attack finishes in minutes
  /** Steps of plain SGD before the client sends, each on images of its own; 1: it sends the gradient. */
  localSteps: whole(1).default(1).describe("a whole number ≥ 1"), // as the paper's first setting
  /** Of those steps; without effect where there is one. */
  localLearningRate: z.number().positive().default(0.05).describe("a number > 0"), // our choice: as `fedleak train`
  /** How BatchNorm normalises, on both sides. */
  batchNorm: z.enum(["train", "eval"]).default("train").describe("train or eval"), // as the release
  /** What the server knows beside the update. */
  grants: z
    .array(z.enum(Object.keys(CAPABILITIES) as [Capability, ...Capability[]]))
    .default([...DEFAULT_GRANTS])
    .describe(`a list of ${Object.keys(CAPABILITIES).join(", ")}`),
  /** What the client does to its update before it sends it, in this order; a run stores all settings here. */
  defences: z
    .array(z.strictObject({ name: z.string().min(1), settings }))
    .default([])
    .describe("a list of objects with name and settings"),
});

const measure = z.strictObject({
  /** Also run the attack on another batch's update and score that against this batch. */
  mismatchedFloor: yesOrNo,
  /** Show the PSNR every so many iterations, for the audience only; 0: never. */
  peekEvery: whole(0).default(0).describe("a whole number ≥ 0"),
  /** Files with the weights of LPIPS, or places on the hub; null: LPIPS is not measured. */
  lpips: z.array(z.string().min(1)).min(1).nullable().default(null).describe("a list of file names or null"),
});

const runSpec = z.strictObject({
  attack: attack.prefault({}),
  model: model.prefault({}),
  data: data.prefault({}),
  client: client.prefault({}),
  measure: measure.prefault({}),
  /** Iterations between checkpoints. */
  checkpointEvery: whole(1).default(50).describe("a whole number ≥ 1"), // our choice: seconds of work lost at most
  device: z.string().default("cpu").describe("the name of a device"),
  /** Processor threads; 0: one a core, as the runtime counts them. */
  threads: whole(0).max(MOST_THREADS).default(0).describe(`a whole number from 0 to ${MOST_THREADS}`),
  seed: whole(0).default(0).describe("a whole number ≥ 0"),
});

/**
 * The request with every default filled in and checked: the one place where options of a run are completed.
 *
 * The names of attack and model and their settings are checked when they are built, against the data.
 * Throws FedleakError at the first entry that is unknown, with a suggestion, or wrong.
 */
export function completeSpec(asked: RunRequest): RunSpec {
  const request = asked.data?.name === "table" ? withTableDefaults(asked) : asked;
  const parsed = runSpec.safeParse(request);
  if (!parsed.success) return refuse(parsed.error, { schema: runSpec, request, who: "spec" });
  const { partition } = parsed.data.data;
  const data = {
    ...parsed.data.data,
    draw: drawFor(request.data?.draw, partition),
    partition: partition && withAlpha(partition),
  };
  const spec = { ...parsed.data, data };
  parseDevice(spec.device);
  checkData(spec.data);
  if (spec.data.name === "table" && spec.measure.mismatchedFloor) refuseMismatched();
  const { grants } = spec.client;
  const defences = spec.client.defences.map(({ name, settings }) => link(name, settings));
  chain(...defences); // throws where their order makes no sense
  return {
    ...spec,
    client: {
      ...spec.client,
      grants: [...new Set(grants)].sort(),
      defences: defences.map(({ defence: { name }, settings }) => ({ name, settings: { ...settings } })),
    },
  };
}

const SCALABLE: readonly string[] = ["embedded", "image-folder"];

/** The default model and attack are for images. */
function withTableDefaults(request: RunRequest): RunRequest {
  const { model, attack } = FOR_TABLES;
  return { ...request, model: { name: model, ...request.model }, attack: { name: attack, ...request.attack } };
}

/** Its score would be the PSNR of encoded rows, beside no cell and no guess. */
function refuseMismatched(): never {
  return fail({
    who: "spec measure.mismatchedFloor",
    must: "a table's rows are held against guesses, cell by cell, not against another batch's update",
    got: "true",
    remedy: "Leave --mismatched-floor away; for a control attack noise, as by --defence gaussian-dp:sigma=1.",
  });
}

function checkData({ name, path, size, target, columns }: RunSpec["data"]): void {
  if (name === "table" ? target === null : target !== null || columns !== null) {
    fail({
      who: `spec data.${name !== "table" && target === null ? "columns" : "target"}`,
      must:
        name === "table" ? "a table needs the column that holds the classes" : "only a table has a target and columns",
      got: name === "table" ? "no target" : `${target === null ? "columns" : `"${target}"`} for ${name}`,
      remedy: name === "table" ? "Pass --target COLUMN." : "Leave --target and --columns away, or pass --table.",
    });
  }
  if ((path === null) !== (name === "embedded")) {
    fail({
      who: "spec data.path",
      must: name === "embedded" ? "the embedded photographs have no path" : `${name} needs a path`,
      got: path === null ? "none" : `"${path}"`,
      remedy: "Name the data and its path, or neither.",
    });
  }
  if (size !== null && !SCALABLE.includes(name)) {
    fail({
      who: "spec data.size",
      must: `only images of ${SCALABLE.join(" and ")} can be scaled`,
      got: `${size} for ${name}`,
      remedy: "Leave the size away.",
    });
  }
}
