import { z } from "zod";
import type { Floor as MeasuredFloor, PairScore, PerPairing } from "../metrics/index.ts";

/**
 * The record of one run, `record.json` in the run's folder: what was asked, what was assumed, what came out.
 *
 * One record is one trial; a failed trial is a record too. Everything printed, drawn or compared is read from here.
 */
export type RunRecord = z.infer<typeof runRecord>;

export const RECORD_FORMAT = "fedleak-record";
export const RECORD_VERSION = 1; // raise it when a field changes its meaning or becomes required

const kebab = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "must be kebab-case");
const index = z.int().nonnegative();
const decibels = z.number().min(0).max(100); // MSE in [0,1] floored at 1e-10
const error = z.number().min(0).max(1); // MSE of images in [0,1]
const similarity = z.number().min(-1.000001).max(1.000001).nullable(); // SSIM with room for rounding; null: images under 11 × 11
const settings = z.record(z.string(), z.json());
const perPairing = <T extends z.ZodType>(value: T) => z.strictObject({ oneToOne: value, manyToOne: value });

/** One thing taken for granted, and who says so. */
const assumption = z.strictObject({
  assumption: kebab,
  value: z.string().min(1),
  origin: z.enum(["paper", "release", "source", "our-choice", "user", "measured"]),
  note: z.string().optional(),
});

/** One recorded moment of the optimisation. */
const curvePoint = z.strictObject({
  iteration: index,
  /** Since the attack started. */
  seconds: z.number().nonnegative(),
  /** The attack's own objective. */
  loss: z.number(),
  /** Cosine similarity of the candidate's gradient to the observed one, in [−1,1]; absent where it is not measured. */
  cosine: z.number().min(-1.000001).max(1.000001).optional(),
  /** One-to-one PSNR of the iterate, for the audience only: the attack never sees it. */
  peekPsnrDb: decibels.optional(),
});

/** One true image with its reconstruction. */
const pair = z.strictObject({
  trueIndex: index,
  reconstructionIndex: index,
  mse: error,
  psnrDb: decibels,
  ssim: similarity,
}) satisfies z.ZodType<PairScore>;

/** What an image that shows nothing private scores; one-to-one for `mismatchedGradient`. */
const floor = z.strictObject({
  psnrDb: decibels,
  ssim: similarity,
  /** In the order of the true batch. */
  perImagePsnrDb: z.array(decibels).readonly().optional(),
}) satisfies z.ZodType<Omit<MeasuredFloor, "perImagePsnrDb">>;

const floors = z.strictObject({
  /** Every pixel 0.5. */
  flatGrey: floor,
  /** Per channel the mean of the true batch. */
  flatMean: floor,
  /** Per pixel the mean of the true batch; absent for a batch of one. */
  batchMean: floor.optional(),
  /** The same attack on the update of another batch. */
  mismatchedGradient: floor.optional(),
});

const labels = z.strictObject({
  /** In the order of the true batch. */
  trueLabels: z.array(index).readonly(),
  /** In the order of the reconstructions. */
  inferredLabels: z.array(index).readonly(),
  /** Whether the threat model gave the attack the true labels. */
  granted: z.boolean(),
  /** Σ_c min(true_c, inferred_c) / max(B, B′). */
  countAccuracy: z.number().min(0).max(1),
  exact: z.boolean(),
  /** Name of class i at index i. */
  classNames: z.array(z.string()).readonly().optional(),
});

/** A reconstruction's score under both pairings (`scoreReconstruction`), its floors, its labels and its cost. */
const results = z.strictObject({
  seconds: z.number().nonnegative(),
  iterations: index,
  /** Gradient evaluations of the audited model, second-order ones counted once. */
  evaluations: index,
  psnrDb: perPairing(decibels),
  /** Student's 95 % interval of the mean; null for one image. */
  psnrInterval95Db: perPairing(z.tuple([z.number(), z.number()]).readonly().nullable()),
  ssim: perPairing(similarity),
  mse: perPairing(error),
  /** One row per true image, in the order of the true batch. */
  pairs: perPairing(z.array(pair).min(1).readonly()),
  floors,
  labels,
}) satisfies z.ZodType<{ pairs: PerPairing<readonly PairScore[]> }>;

/** The shape of a record; `record.ts` reads one and also checks that it does not contradict itself. */
export const runRecord = z.strictObject({
  format: z.literal(RECORD_FORMAT),
  version: z.literal(RECORD_VERSION),
  status: z.enum(["running", "finished", "interrupted", "failed"]),
  /** Why the run failed; present exactly when it did. */
  failure: z.string().min(1).optional(),
  /** ISO 8601, UTC. */
  startedAt: z.iso.datetime().optional(),
  /** The command line, quoted so that it can be pasted into a shell. */
  command: z.string().min(1),
  /** The completed options; the run's own schema checks what is inside and may add entries, defences for one. */
  spec: z
    .object({
      attack: z.strictObject({ name: kebab, settings }),
      model: settings,
      data: settings,
      client: settings,
      device: z.string(),
      threads: index,
      seed: index,
    })
    .catchall(z.json()),
  ledger: z.array(assumption).readonly(),
  versions: z.strictObject({
    fedleak: z.string(),
    /** Absent in a browser. */
    node: z.string().optional(),
    onnxruntime: z.string(),
    /** Operating system and architecture (`linux x64`), or the browser. */
    platform: z.string(),
  }),
  /** Every seed that was used, by purpose. */
  seeds: z.record(z.string(), index),
  curve: z.array(curvePoint).readonly(),
  results: results.optional(),
});

export type Assumption = z.infer<typeof assumption>;
export type CurvePoint = z.infer<typeof curvePoint>;
export type RunResults = z.infer<typeof results>;
export type RunStatus = RunRecord["status"];
