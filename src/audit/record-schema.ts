import { z } from "zod";
import { runResults } from "./results-schema.ts";

/**
 * The record of one run, `record.json` in the run's folder: what was asked, what was assumed, what came out.
 *
 * One record is one trial; a failed trial is a record too. Everything printed, drawn or compared is read from here.
 */
export type RunRecord = z.infer<typeof runRecord>;

export const RECORD_FORMAT = "fedleak-record";
export const RECORD_VERSION = 2; // raise it when a field changes its meaning or becomes required

const kebab = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "must be kebab-case");
const index = z.int().nonnegative();
const decibels = z.number().min(0).max(100); // MSE in [0,1] floored at 1e-10
const settings = z.record(z.string(), z.json());

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
  /** Gradient evaluations until then; absent in records of before they were kept along the way. */
  evaluations: index.optional(),
  /** Since the attack started. */
  seconds: z.number().nonnegative(),
  /** The attack's own objective. */
  loss: z.number(),
  /** Cosine similarity of the candidate's gradient to the observed one, in [−1,1]; absent where it is not measured. */
  cosine: z.number().min(-1.000001).max(1.000001).optional(),
  /** One-to-one PSNR of the iterate, for the audience only: the attack never sees it. */
  peekPsnrDb: decibels.optional(),
});

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
      attack: z.object({ name: kebab, settings }).catchall(z.json()),
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
  /** Fingerprints of what every attack on this batch has in common: images and labels; weights and buffers. Absent in older records. */
  inputs: z.strictObject({ batch: z.string().min(1), weights: z.string().min(1) }).optional(),
  /** Whose images the batch is drawn from; only where the data are partitioned. */
  client: z
    .strictObject({
      /** In words: `label-skew, 2 classes a client`. */
      partition: z.string().min(1),
      clients: index,
      /** Of the client, counted from 0. */
      number: index,
      /** That it has. */
      images: index,
      /** Of each class of the data. */
      labelCounts: z.array(index).readonly(),
    })
    .optional(),
  /** Every seed that was used, by purpose. */
  seeds: z.record(z.string(), index),
  curve: z.array(curvePoint).readonly(),
  results: runResults.optional(),
});

export type Assumption = z.infer<typeof assumption>;
export type CurvePoint = z.infer<typeof curvePoint>;
export type { RunResults } from "./results-schema.ts";
export type RunStatus = RunRecord["status"];
