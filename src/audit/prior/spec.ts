import { z } from "zod";
import { refuse } from "../schema-error.ts";
import { IMAGE_SETS, MOST_THREADS } from "../spec.ts";

const whole = (least: number) => z.int().min(least).describe(`a whole number ≥ ${least}`);
const positive = z.number().positive().describe("a number > 0");
const notNegative = z.number().min(0).describe("a number ≥ 0");

const priorSpec = z.strictObject({
  data: z.strictObject({
    name: z.enum(IMAGE_SETS).describe(IMAGE_SETS.join(" or ")),
    /** Folders or files, taken together as one set. */
    paths: z.array(z.string().min(1)).default([]).describe("a list of paths"),
    size: whole(1).nullable().default(null).describe("a whole number ≥ 1 or null"),
  }),
  /** Whether the decoder is told the class: it then fits only models with these classes in this order. */
  classConditional: z.boolean().default(false).describe("true or false"),
  latent: whole(1).default(128).describe("a whole number ≥ 1"), // our choice, as the untrained generator's
  channels: whole(1).default(16).describe("a whole number ≥ 1"), // our choice, see `buildDecoder`
  restorerChannels: whole(1).default(32).describe("a whole number ≥ 1"), // our choice, see `buildRestorer`
  restorerBlocks: whole(0).default(2).describe("a whole number ≥ 0"), // our choice
  /** How many times smaller the images are that the restorer learns to enlarge. */
  downscale: whole(1).default(4).describe("a whole number ≥ 1"), // METHODS 2, rog
  /** The largest deviation of the noise that the restorer learns to remove. */
  noise: notNegative.default(0.1), // our choice: a small image that an attack found to 20 dB
  /** The weight of the Kullback-Leibler divergence per pixel: 2σ² of a decoder with noise σ = 0.05. */
  klWeight: notNegative.default(0.005), // our choice: sharp images before probable codes
  batch: whole(1).default(32).describe("a whole number ≥ 1"), // our choice
  learningRate: positive.default(0.002), // our choice; falls to 0 along a cosine
  steps: whole(1).default(3000).describe("a whole number ≥ 1"), // our choice: minutes
  checkpointEvery: whole(1).default(100).describe("a whole number ≥ 1"), // our choice: half a minute of work lost at most
  threads: whole(0).max(MOST_THREADS).default(0).describe(`a whole number from 0 to ${MOST_THREADS}`),
  seed: whole(0).default(0).describe("a whole number ≥ 0"),
});

/** How a prior is trained, complete: the same spec and images give the same prior. Plain JSON. */
export type PriorSpec = z.output<typeof priorSpec>;
export type PriorRequest = z.input<typeof priorSpec>;

/** The request with its defaults; throws FedleakError at the first entry that is unknown or wrong. */
export function completePriorSpec(request: PriorRequest): PriorSpec {
  const parsed = priorSpec.safeParse(request);
  return parsed.success ? parsed.data : refuse(parsed.error, { schema: priorSpec, request, who: "train-prior" });
}
