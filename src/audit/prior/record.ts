import { z } from "zod";
import { parseStored, type StoredKind } from "../stored-json.ts";

/** The files of a prior's folder; `state.safetensors` is there while it is not finished. */
export const PRIOR_FILES = {
  about: "prior.json",
  tensors: "prior.safetensors",
  /** Held-out images, what the decoder and the restorer make of them, and images decoded from random codes. */
  samples: "samples.png",
} as const;

const PRIOR_FORMAT = "fedleak-prior";
const PRIOR_VERSION = 1; // raise it when an older prior no longer reads

const plain = z.record(z.string(), z.json());
const count = z.int().min(0);

const schema = z.strictObject({
  format: z.literal(PRIOR_FORMAT),
  version: z.literal(PRIOR_VERSION),
  status: z.enum(["training", "interrupted", "failed", "finished"]),
  failure: z.string().optional(),
  command: z.string(),
  /** How it is trained: enough to continue or repeat it. */
  spec: plain,
  /** Options of the networks: enough to build them again. */
  decoder: plain,
  restorer: plain,
  trainedOn: z.strictObject({
    source: z.string(),
    /** Images trained on, and images kept for measuring. */
    images: count,
    heldOut: count,
    classNames: z.array(z.string()),
    /** Of all images and labels. */
    fingerprint: z.string(),
  }),
  stepsDone: count,
  seconds: z.number().min(0),
  /** Of the held-out images, mean over images of the PSNR in dB; missing until training stops. */
  heldOut: z
    .strictObject({
      /** decode(encode x) to x: the search for codes of an attack may do better. */
      decoderPsnrDb: z.number(),
      /** The floor of that: the mean of the training images. */
      meanImagePsnrDb: z.number(),
      restoredPsnrDb: z.number(),
      /** The floor of that: what the restorer was given. */
      degradedPsnrDb: z.number(),
    })
    .optional(),
  /** Of the tensors of decoder and restorer, as they lie in the file beside this one. */
  fingerprint: z.string().optional(),
  versions: z.record(z.string(), z.string()),
});

/** What a prior is, how it was trained, on what, and how good it is. */
export type PriorRecord = z.output<typeof schema>;

/** A prior's record in the present format. */
export function newPriorRecord(about: Omit<PriorRecord, "format" | "version">): PriorRecord {
  return { format: PRIOR_FORMAT, version: PRIOR_VERSION, ...about };
}

/** The record in the text of a file; `file` is only named in errors. Throws FedleakError when it is not one. */
export function parsePriorRecord(text: string, file: string): PriorRecord {
  return parseStored(text, file, PRIOR);
}

/** Whether a file's text is such a record, whatever else may be wrong with it. */
export function isPriorRecord(text: string): boolean {
  return text.includes(`"${PRIOR_FORMAT}"`);
}

const PRIOR: StoredKind<PriorRecord> = {
  what: "a prior",
  format: PRIOR_FORMAT,
  version: PRIOR_VERSION,
  schema,
  remedy: {
    damaged: "Train the prior again with this version.",
    foreign: "Pass a folder that fedleak train-prior has written.",
  },
};
