import { z } from "zod";
import { runRecord } from "../record-schema.ts";
import { parseStored, type StoredKind } from "../stored-json.ts";
import { type ComparePlan, completePlan } from "./plan.ts";

/**
 * A comparison as `comparison.json` in its folder holds it: the plan, a row for every trial, the table made of them.
 *
 * A trial that failed, or has not run yet, is a row too. Everything printed or drawn is read from here; the record of each
 * trial, with all of its assumptions, lies in `trials/<id>`.
 */
export type Comparison = Omit<z.infer<typeof comparison>, "plan"> & { readonly plan: ComparePlan };

export const COMPARISON_FORMAT = "fedleak-comparison";
export const COMPARISON_VERSION = 1; // raise it when a field changes its meaning or becomes required

const whole = z.int().nonnegative();
const decibels = z.number().min(0).max(100); // MSE in [0,1] floored at 1e-10
const interval = z.tuple([z.number(), z.number()]).readonly().nullable();
const similarity = z.number().nullable(); // null: images under 11 × 11
const share = z.number().min(0).max(1);
const perPairing = <T extends z.ZodType>(value: T) => z.strictObject({ oneToOne: value, manyToOne: value });
const status = z.enum(["pending", "running", "finished", "interrupted", "failed"]);

/** What a trial came to. */
const trialResult = z.strictObject({
  /** Per true image, in the order of the true batch. */
  psnrDb: perPairing(z.array(decibels).min(1).readonly()),
  /** Means over the images. */
  ssim: perPairing(similarity),
  /** The highest of the trial's floors, by its mean. */
  floor: z.strictObject({ name: z.string().min(1), psnrDb: decibels }),
  labels: z.strictObject({ granted: z.boolean(), countAccuracy: share }),
  /** Spent, out of the budget. */
  evaluations: whole,
  iterations: whole,
  seconds: z.number().nonnegative(),
  /** The one-to-one PSNR along the way, for the figure only: no attack sees it and it chooses nothing. */
  curve: z
    .array(
      z.strictObject({ evaluations: z.number().nonnegative(), seconds: z.number().nonnegative(), psnrDb: decibels }),
    )
    .readonly(),
});

export const trialRow = z.strictObject({
  /** Its folder's name. */
  id: z.string().min(1),
  setting: z.string().min(1),
  batchSize: whole,
  /** The attack's label. */
  attack: z.string().min(1),
  seed: whole,
  status,
  /** Why it failed. */
  failure: z.string().min(1).optional(),
  /** Of a trial that failed on its way: of its last finite iterate. */
  result: trialResult.optional(),
  /** Fingerprints of the private batch and of the weights; missing where there is no record, or an older one. */
  inputs: runRecord.shape.inputs,
  /** What the trial's ledger says that another trial could differ in, by its name there. */
  assumptions: z.record(z.string(), z.string()).optional(),
  /** Of the program that began the trial. */
  versions: runRecord.shape.versions.optional(),
});

/** What the numbers of one setting at one batch size assume. */
const cellAssumptions = z.strictObject({
  setting: z.string().min(1),
  batchSize: whole,
  /** Of all rows that have a record. */
  shared: z.record(z.string(), z.string()),
  /** What not all rows have in common: each value, and the rows that have it. */
  differing: z
    .array(
      z.strictObject({
        assumption: z.string().min(1),
        groups: z.array(z.strictObject({ value: z.string(), rows: z.array(z.string()).readonly() })).readonly(),
      }),
    )
    .readonly(),
});

const difference = z.strictObject({ meanDb: z.number(), interval95Db: interval, seeds: whole });

/** One attack in one setting at one batch size, over all seeds. */
const tableLine = z.strictObject({
  setting: z.string().min(1),
  batchSize: whole,
  attack: z.string().min(1),
  /** Trials that were asked for, have a score, and failed; a trial that failed on its way is both of the latter. */
  trials: z.strictObject({ planned: whole, scored: whole, failed: whole }),
  /** Means over seeds and images; null while nothing is scored. */
  psnrDb: perPairing(decibels).nullable(),
  /** Bootstrap over seeds and images. */
  psnrInterval95Db: perPairing(interval),
  ssim: perPairing(similarity),
  /** Mean of the trials' highest floors, and how far the one-to-one mean lies above it. */
  floorDb: z.number().nullable(),
  leakageDb: z.number().nullable(),
  labels: z.strictObject({ granted: z.boolean(), countAccuracy: share }).nullable(),
  /** Means over the scored trials. */
  evaluations: z.number().nullable(),
  seconds: z.number().nullable(),
  /** One-to-one PSNR minus the reference's on the same images, over the seeds both have a score for. */
  difference: difference.nullable(),
  /** Of the first line, the same difference to the second; missing in older files and where there is no second score. */
  lead: difference.extend({ over: z.string().min(1) }).optional(),
});

const comparison = z.strictObject({
  format: z.literal(COMPARISON_FORMAT),
  version: z.literal(COMPARISON_VERSION),
  status: z.enum(["running", "finished", "interrupted"]),
  /** ISO 8601, UTC. */
  startedAt: z.iso.datetime(),
  /** The command line, quoted so that it can be pasted into a shell. */
  command: z.string().min(1),
  plan: z.json(),
  /** Trials at once. */
  jobs: z.int().positive(),
  rows: z.array(trialRow).readonly(),
  table: z.array(tableLine).readonly(),
  /** Of each setting and batch size that a row has a record of; missing in older files. */
  assumptions: z.array(cellAssumptions).readonly().optional(),
  versions: runRecord.shape.versions,
});

export type TrialRow = z.infer<typeof trialRow>;
export type TrialResult = z.infer<typeof trialResult>;
export type TableLine = z.infer<typeof tableLine>;
export type CellAssumptions = z.infer<typeof cellAssumptions>;

/**
 * Reads the text of a comparison's file and checks it; `file` is only named in errors.
 *
 * Throws FedleakError when the text is no JSON, no comparison, of another version, or has wrong entries.
 */
export function parseComparison(text: string, file: string): Comparison {
  const stored = parseStored(text, file, COMPARISON);
  return { ...stored, plan: completePlan(stored.plan) };
}

const COMPARISON: StoredKind<z.infer<typeof comparison>> = {
  what: "a comparison",
  format: COMPARISON_FORMAT,
  version: COMPARISON_VERSION,
  schema: comparison,
  remedy: {
    damaged: "The file is damaged: start the comparison again.",
    foreign: "Pass the folder of a comparison.",
  },
};
