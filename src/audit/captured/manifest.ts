import { z } from "zod";
import { BUFFER_RULES, type BufferRule } from "../../fl/index.ts";
import { fedColumn } from "../column-entries.ts";
import { parsedJson } from "../parsed-json.ts";
import { refuse } from "../schema-error.ts";

export const UPDATE_FORMAT = "fedleak-update";
export const UPDATE_VERSION = 1; // raise it when an entry means something else than before
export const MANIFEST_FILE = "manifest.json";

/**
 * The manifest of a captured update, complete: what a server knows of what it holds. Plain JSON.
 *
 * `fedleak train --capture` writes it; people who capture an update elsewhere write it by hand.
 */
export type UpdateManifest = z.output<typeof manifest>;
/** A manifest as a user may write it: whatever is missing takes its default. */
export type UpdateManifestFile = z.input<typeof manifest>;

const whole = (least: number) => z.int().min(least).describe(`a whole number ≥ ${least}`);
const known = (least: number) =>
  z.int().min(least).nullable().default(null).describe(`a whole number ≥ ${least} or null`);
const file = z
  .string()
  .regex(/^[^/\\]+\.(safetensors|npz|onnx)$/, "a file beside the manifest")
  .nullable()
  .default(null)
  .describe("the name of a safetensors, npz or onnx file beside the manifest, or null");

const named = z.strictObject({
  name: z.string().min(1).describe("the name of a model"),
  options: z.record(z.string(), z.json()).default({}).describe("options by name"),
});
const imported = z.strictObject({
  onnx: z
    .string()
    .regex(/^[^/\\]+\.onnx$/)
    .describe("the name of an onnx file beside the manifest"),
});

const optimiser = z.strictObject({
  name: z.enum(["sgd", "adam", "adamw", "other"]).default("sgd").describe("sgd, adam, adamw or other"),
  momentum: z.number().min(0).lt(1).default(0).describe("a number from 0 to below 1"),
  weightDecay: z.number().min(0).default(0).describe("a number ≥ 0"),
  clip: z.number().gt(0).nullable().default(null).describe("a number > 0 or null"),
});

const manifest = z.strictObject({
  format: z.literal(UPDATE_FORMAT).describe(`"${UPDATE_FORMAT}"`),
  version: z.literal(UPDATE_VERSION).describe(`${UPDATE_VERSION}`),
  /** What the update's file holds: the gradient, the weights after local training, or weights after − before. */
  sent: z.enum(["gradient", "weights", "delta"]).describe("gradient, weights or delta"),
  model: z.union([named, imported]).describe('{"name": …, "options": {…}} or {"onnx": FILE}'),
  /** The weights handed out; null: the file called before.*, or what the model's ONNX file holds. */
  before: file,
  /** What came back; null: the file called update.* */
  update: file,
  /** null: not known. */
  round: known(0),
  client: known(0),
  learningRate: z.number().gt(0).nullable().default(null).describe("a number > 0 or null"),
  /** S */
  localSteps: whole(1).default(1),
  /** B, images a step; null: not known. */
  batchSize: known(1),
  /** Images the client has; null: not known. */
  images: known(1),
  optimiser: optimiser.prefault({}).describe("an object of entries"),
  /** Its mean over the batch. */
  loss: z.literal("cross-entropy").default("cross-entropy").describe('"cross-entropy", the only loss that is read'),
  /** [C,H,W]; null: as the model says. */
  inputShape: z
    .tuple([whole(1), whole(1), whole(1)])
    .nullable()
    .default(null)
    .describe("[C,H,W] or null"),
  /** The network was fed (x − mean)/std with x in [0,1], a number each channel; null: x itself. */
  normalisation: z
    .strictObject({ mean: z.array(z.number()).min(1), std: z.array(z.number().gt(0)).min(1) })
    .nullable()
    .default(null)
    .describe('{"mean": […], "std": […]} or null'),
  /** How the client's BatchNorm normalised. */
  batchNorm: z.enum(["train", "eval"]).default("train").describe("train or eval"),
  /** Which of BatchNorm's tensors clients send. */
  bnBuffers: z
    .enum(Object.keys(BUFFER_RULES) as [BufferRule, ...BufferRule[]])
    .default("averaged") // as Flower: all of the state dict
    .describe(Object.keys(BUFFER_RULES).join(", ")),
  /** Where the client's data are rows of a table: its columns, in the order of the model's numbers; null: images. */
  columns: z.array(fedColumn).min(1).nullable().default(null).describe("a list of columns or null"),
  classNames: z.array(z.string()).default([]).describe("a list of names"),
});

/**
 * The manifest in the text of a file, with every default filled in; `path` is only named in errors.
 *
 * Throws FedleakError at the first entry that is unknown, with a suggestion, or wrong, and where a difference of weights
 * cannot be a gradient because the learning rate is missing.
 */
export function parseManifest(text: string, path: string): UpdateManifest {
  const who = `manifest ${path}`;
  const request = parsedJson(text, { who, remedy: "See docs/captured-update.md for an example." });
  const parsed = manifest.safeParse(request);
  if (parsed.success) return parsed.data;
  const remedy = "See docs/captured-update.md for what each entry means.";
  return refuse(parsed.error, { schema: manifest, request, who, remedy });
}
