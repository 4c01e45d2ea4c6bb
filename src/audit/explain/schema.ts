import { z } from "zod";
import { runRecord } from "../record-schema.ts";

/**
 * What `fedleak explain` found about one attack setting, `explain.json` in its folder.
 *
 * Each part stands alone, with the fingerprint of everything it depends on; a part that is missing was not asked for or not
 * reached.
 */
export type Explanation = z.infer<typeof explanation>;

export const EXPLANATION_FORMAT = "fedleak-explanation";
export const EXPLANATION_VERSION = 1; // raise it when a field changes its meaning or becomes required

const count = z.int().nonnegative();
const positive = z.number().positive();
const share = z.number().min(0).max(1);
const correlation = z.number().min(-1.000001).max(1.000001); // rounding may carry it past 1

/** How a part ended, and what its numbers depend on. */
const stand = {
  status: z.enum(["finished", "interrupted", "failed"]),
  /** Of spec, inputs and the part's own options: a finished part with the same one is not computed again. */
  print: z.string(),
  seconds: z.number().nonnegative(),
  /** Why it failed. */
  failure: z.string().optional(),
  /** Of the program that computed it; missing in older files. */
  versions: runRecord.shape.versions.optional(),
};

/** Equations 4 to 6 at one point; null where the difference or the gradient is zero. */
const steepness = z.strictObject({
  /** μ = ⟨x′−x, D⟩ / ‖x′−x‖²; negative: a step along −D leads away from the private images. */
  mu: z.number().nullable(),
  /** L = ‖D‖² / ‖x′−x‖² */
  l: z.number().nonnegative().nullable(),
  /** μ/L: half the largest step size of plain gradient descent that comes no farther from the private images. */
  ratio: z.number().nullable(),
  /** cos(x′−x, D), with μ²/L = cos²: free of the loss's scale. */
  alignment: correlation.nullable(),
});

const convergencePoint = z.strictObject({
  iteration: count,
  loss: z.number(),
  /** Root of the mean squared pixel difference to the private images, paired one-to-one. */
  rms: z.number().nonnegative(),
  /** With D of the objective at x′. */
  here: steepness,
  /** With the blend (1−γ)·D(x′) + γ·D(x̃) that the variant descends; null when γ is 0 or x̃ cannot be told. */
  blended: steepness.nullable(),
});

/** The parts, in their order. */
export const PART_NAMES = ["convergence", "noise", "sensitivity", "damping"] as const;

export const VARIANTS = ["neither", "partial-matching", "regularisation", "both"] as const;

const variant = z.strictObject({
  name: z.enum(VARIANTS),
  maskRatio: z.number(),
  maskScope: z.string(),
  gamma: z.number(),
  lookahead: z.string(),
  /** Whether this is the attack as it was set. */
  asSet: z.boolean(),
  status: z.enum(["finished", "interrupted", "failed"]),
  failure: z.string().optional(),
  points: z.array(convergencePoint),
  /** From the gradient of the last images, with the labels the attack believes in, to the observed update; null before the end. */
  end: z.strictObject({ l2: z.number(), cosine: z.number(), l1Cosine: z.number() }).nullable(),
});

const convergence = z.strictObject({
  ...stand,
  iterations: count,
  /** Iterations between points. */
  every: count,
  /** In words: what else the numbers assume. */
  notes: z.array(z.string()),
  variants: z.array(variant),
});

const levels = z.strictObject({
  strength: z.number().nonnegative(),
  /** One value a draw. */
  l2: z.array(z.number()),
  cosine: z.array(z.number()),
  l1Cosine: z.array(z.number()),
});

const noise = z.strictObject({
  ...stand,
  draws: count,
  /** The share of entries that the partial distances keep. */
  maskRatio: share,
  /** ‖ĝ‖₂ of the undisturbed gradient, which the distances are to be read against. */
  gradientNorm: z.number(),
  full: z.array(levels),
  partial: z.array(levels),
});

const scope = z.strictObject({
  name: z.enum(["last-layer", "all-layers"]),
  /** Entries there are, and how many were measured. */
  entries: count,
  sampled: count,
  pearson: correlation.nullable(),
  spearman: correlation.nullable(),
  /** Percentile bootstrap over the sampled entries; null when all were measured, or too few. */
  pearsonInterval95: z.tuple([correlation, correlation]).nullable(),
  /** |g_i| and Σ|∂g_i/∂x|, entry by entry. */
  magnitudes: z.array(z.number().nonnegative()),
  sensitivities: z.array(z.number().nonnegative()),
});

const sensitivity = z.strictObject({ ...stand, scopes: z.array(scope) });

const path = z.strictObject({ gamma: z.number(), stepSize: positive, points: z.array(z.number()) });

const damping = z.strictObject({ ...stand, paths: z.array(path) });

/** What was asked for, of all goes: by it a stopped explanation goes on. */
const asked = z.strictObject({
  only: z.array(z.enum(PART_NAMES)).min(1).readonly(),
  options: z.strictObject({ probes: z.int().min(2), draws: z.int().positive(), entries: z.int().min(3) }),
});

export const explanation = z.strictObject({
  format: z.literal(EXPLANATION_FORMAT),
  version: z.literal(EXPLANATION_VERSION),
  status: z.enum(["running", "finished", "interrupted", "failed"]),
  startedAt: z.string(),
  command: z.string(),
  /** Missing in older files. */
  asked: asked.optional(),
  /** Complete, as a run's record has it. */
  spec: runRecord.shape.spec,
  ledger: runRecord.shape.ledger,
  versions: runRecord.shape.versions,
  /** Of the spec and of batch and weights. */
  prints: z.strictObject({ spec: z.string(), inputs: z.string() }),
  parts: z.strictObject({
    convergence: convergence.optional(),
    noise: noise.optional(),
    sensitivity: sensitivity.optional(),
    damping: damping.optional(),
  }),
});

export type Steepness = z.infer<typeof steepness>;
export type ConvergencePoint = z.infer<typeof convergencePoint>;
export type VariantName = (typeof VARIANTS)[number];
export type VariantTrace = z.infer<typeof variant>;
export type ConvergencePart = z.infer<typeof convergence>;
export type NoiseLevel = z.infer<typeof levels>;
export type NoisePart = z.infer<typeof noise>;
export type SensitivityScope = z.infer<typeof scope>;
export type SensitivityPart = z.infer<typeof sensitivity>;
export type DampingPart = z.infer<typeof damping>;
export type Parts = Explanation["parts"];
export type PartName = keyof Parts;
