import { z } from "zod";
import { trialRow } from "../compare/comparison.ts";
import { runRecord } from "../record-schema.ts";
import { parseStored, type StoredKind } from "../stored-json.ts";
import { appliedDefence } from "../train/record.ts";
import { completeTradeoff, PLACES, type Place, type TradeoffPlan, type TradeoffRequest } from "./plan.ts";

/**
 * A trade-off as `tradeoff.json` in its folder holds it: the plan, a row for every cell, the table made of them.
 *
 * A cell that failed, or has not been done yet, is a row too. Everything printed, drawn or advised is read from here; the
 * record of its training and of each trial, with all assumptions, lies in `cells/<name>`.
 */
export type Tradeoff = Omit<z.infer<typeof tradeoff>, "plan"> & { readonly plan: TradeoffPlan };

export const TRADEOFF_FORMAT = "fedleak-tradeoff";
export const TRADEOFF_VERSION = 1; // raise it when a field changes its meaning or becomes required

const whole = z.int().nonnegative();
const share = z.number().min(0).max(1);
const decibels = z.number().min(0).max(100); // MSE in [0,1] floored at 1e-10
const interval = z.tuple([z.number(), z.number()]).readonly();

const training = z.strictObject({
  status: z.enum(["finished", "failed"]),
  done: whole,
  unit: z.enum(["step", "round"]),
  seconds: z.number().nonnegative(),
  /** Of the model at the end, on images that nobody trained on: the test set, or else the public split. */
  accuracy: share.optional(),
  accuracyOn: z.enum(["test", "public"]).optional(),
  images: whole.optional(),
  /** What always naming the commonest class of these images scores. */
  majorityFloor: share.optional(),
  loss: z.number().optional(),
  /** What the defences promise over the whole training, in words. */
  privacy: z.array(z.string()).readonly(),
  /** As the clients applied them in the last round. */
  defences: z.array(appliedDefence).readonly(),
});

const cellRow = z.strictObject({
  /** The cell's. */
  name: z.string().min(1),
  status: z.enum(["pending", "running", "finished", "interrupted", "failed"]),
  failure: z.string().min(1).optional(),
  training: training.optional(),
  trials: z.array(trialRow).readonly(),
});

const attacker = z.strictObject({
  /** Its label. */
  attack: z.string().min(1),
  /** Means over seeds and images, one-to-one; null while nothing is scored. */
  psnrDb: decibels.nullable(),
  /** Bootstrap over seeds and images; null where there is one value. */
  interval95Db: interval.nullable(),
  /** How far it lies above the highest floor: the mean, and the bootstrap's interval of each image's PSNR less its trial's floor. */
  leakageDb: z.number().nullable(),
  leakageInterval95Db: interval.nullable(),
  evaluations: z.number().nullable(),
  trials: z.strictObject({ planned: whole, scored: whole, failed: whole }),
});

/** One cell at one place: accuracy and what leaked to each attacker, the worst first. */
const tradeoffLine = z.strictObject({
  cell: z.string().min(1),
  defence: z.string().min(1),
  strength: z.string().nullable(),
  localSteps: whole.nullable(),
  place: z.enum(Object.keys(PLACES) as [Place, ...Place[]]),
  accuracy: share.nullable(),
  /** Wilson's interval over the images. */
  accuracyInterval95: interval.nullable(),
  /** What always naming the commonest class scores. */
  accuracyFloor: share.nullable(),
  /** Mean of the trials' highest floors, and the lowest and highest of them. */
  floorDb: z.number().nullable(),
  floorRangeDb: interval.nullable(),
  attackers: z.array(attacker).readonly(),
});

const tradeoff = z.strictObject({
  format: z.literal(TRADEOFF_FORMAT),
  version: z.literal(TRADEOFF_VERSION),
  status: z.enum(["running", "finished", "interrupted"]),
  /** ISO 8601, UTC. */
  startedAt: z.iso.datetime(),
  command: z.string().min(1),
  plan: z.json(),
  cells: z.array(cellRow).readonly(),
  table: z.array(tradeoffLine).readonly(),
  versions: runRecord.shape.versions,
});

export type CellRow = z.infer<typeof cellRow>;
export type CellTraining = z.infer<typeof training>;
export type Attacker = z.infer<typeof attacker>;
export type TradeoffLine = z.infer<typeof tradeoffLine>;

/** Reads the text of a trade-off's file and checks it; `file` is only named in errors. Throws FedleakError. */
export function parseTradeoff(text: string, file: string): Tradeoff {
  const stored = parseStored(text, file, TRADEOFF);
  return { ...stored, plan: completeTradeoff(stored.plan as TradeoffRequest) };
}

const TRADEOFF: StoredKind<z.infer<typeof tradeoff>> = {
  what: "a trade-off",
  format: TRADEOFF_FORMAT,
  version: TRADEOFF_VERSION,
  schema: tradeoff,
  remedy: {
    damaged: "The file is damaged, or no trade-off's.",
    foreign: "Pass the folder of fedleak tradeoff, or its tradeoff.json.",
  },
};
