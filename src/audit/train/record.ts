import { z } from "zod";
import type { Assumption } from "../record-schema.ts";
import { checkStored, hasFormat, parseStored, type StoredKind } from "../stored-json.ts";

/** The record of one training, `record.json` in its folder: what was asked, what was assumed, what came out. */
export type TrainRecord = z.infer<typeof trainRecord> & { readonly ledger: readonly Assumption[] };
export type TrainPoint = z.infer<typeof point>;
export type TrainResults = z.infer<typeof results>;
export type AppliedDefence = z.infer<typeof appliedDefence>;

export const TRAIN_FORMAT = "fedleak-training";
export const TRAIN_VERSION = 1; // raise it when a field changes its meaning or becomes required

const count = z.int().nonnegative();
const share = z.number().min(0).max(1);

/** One recorded step or round. */
const point = z.strictObject({
  /** Steps or rounds done. */
  done: count,
  seconds: z.number().nonnegative(),
  learningRate: z.number().nonnegative(),
  /** Mean cross-entropy of what was trained on, before each step. */
  loss: z.number(),
  /** Of what was trained on; not known where clients only send gradients. */
  trainAccuracy: share.optional(),
  /** On the public split, where it was measured. */
  accuracy: share.optional(),
  publicLoss: z.number().optional(),
});

/** A defence of the clients with every setting, the planned ones too. */
export const appliedDefence = z.strictObject({
  name: z.string().min(1),
  settings: z.record(z.string(), z.union([z.number(), z.string()])),
});

const measured = z.strictObject({
  images: count,
  accuracy: share,
  /** Wilson's, over the images; missing in older records, as the floor is. */
  interval95: z.tuple([share, share]).readonly().optional(),
  /** Accuracy of always naming the class that is commonest among these images. */
  majorityFloor: share.optional(),
  loss: z.number(),
});

const results = z.strictObject({
  done: count,
  seconds: z.number().nonnegative(),
  /** On the whole public split. */
  open: measured,
  test: measured.optional(),
  /** The clients' defences by then; absent where there are none. */
  defences: z.array(appliedDefence).optional(),
});

const trainRecord = z.strictObject({
  format: z.literal(TRAIN_FORMAT),
  version: z.literal(TRAIN_VERSION),
  status: z.enum(["running", "finished", "interrupted", "failed"]),
  /** Why it failed; present exactly when it did. */
  failure: z.string().min(1).optional(),
  startedAt: z.iso.datetime(),
  command: z.string().min(1),
  /** The completed spec; `completeTrainSpec` checks it when the training goes on. */
  spec: z.record(z.string(), z.json()),
  unit: z.enum(["step", "round"]),
  /** The clients' defences in the first round; absent where there are none. */
  defences: z.array(appliedDefence).optional(),
  ledger: z.array(
    z.strictObject({
      assumption: z.string().min(1),
      value: z.string().min(1),
      origin: z.enum(["paper", "release", "source", "our-choice", "user", "measured"]),
      note: z.string().optional(),
    }),
  ),
  versions: z.record(z.string(), z.string().optional()),
  data: z.strictObject({
    source: z.string(),
    classNames: z.array(z.string()),
    /** Images to train on, and images of the public split. */
    closed: count,
    open: count,
    /** Images of each class (columns) of each client (rows); empty without clients. */
    counts: z.array(z.array(count)),
  }),
  curve: z.array(point),
  results: results.optional(),
});

/** Reads the text of a training's record and checks it; `file` is only named in errors. Throws FedleakError. */
export function parseTrainRecord(text: string, file: string): TrainRecord {
  return parseStored(text, file, RECORD);
}

/** Checks a record in memory as `parseTrainRecord` does. */
export function checkTrainRecord(value: unknown, file: string): TrainRecord {
  return checkStored(value, file, RECORD);
}

/** Whether the text is the record of a training, sound or not. */
export function isTrainRecord(text: string): boolean {
  return hasFormat(text, TRAIN_FORMAT);
}

const RECORD: StoredKind<TrainRecord> = {
  what: "a record",
  format: TRAIN_FORMAT,
  version: TRAIN_VERSION,
  schema: trainRecord,
  laws: ({ failure, status }) =>
    (failure !== undefined) === (status === "failed")
      ? []
      : ["failure: must be there when the status is failed, and only then"],
  remedy: { damaged: "Was the file cut short? Train again.", foreign: "Pass the folder that fedleak train printed." },
};
