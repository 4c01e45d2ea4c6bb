import { z } from "zod";
import { DEFENCES } from "../../defences/index.ts";
import { fail, unknownName } from "../../util/index.ts";
import { type CompareAttack, type ComparePlan, completePlan, EVALUATIONS } from "../compare/plan.ts";
import { leavesAverage } from "../train/defence-spec.ts";
import { completeTrainSpec, type TrainRequest, type TrainSpec } from "../train/spec.ts";
import type { Cell } from "./cells.ts";
import { STRENGTHS } from "./strengths.ts";

/**
 * What a trade-off is asked to do, complete: models trained under defences, and attacks on what their clients send.
 *
 * Plain JSON, stored in the trade-off's file and read again by `resume`; completing it again changes nothing.
 */
export interface TradeoffPlan {
  /** How every model is trained, but for defences and local steps. */
  readonly train: TrainSpec;
  readonly cells: readonly Cell[];
  readonly attack: AttackTerms;
}

/** How the updates of every cell are attacked. */
export interface AttackTerms {
  readonly attacks: readonly CompareAttack[];
  readonly seeds: readonly number[];
  /** Images of the attacked update's batch. */
  readonly batchSize: number;
  readonly evaluations: number;
  /** Which weights the client was handed out. */
  readonly at: readonly Place[];
  readonly grants: readonly string[];
  /** Where the private images come from; null: the first of the training's. */
  readonly data: string | null;
  readonly draw: "one-per-class" | "uniform";
  readonly prior: string | null;
  readonly mismatchedFloor: boolean;
  readonly checkpointEvery: number;
}

/** The weights that an attacked client begins with. */
export const PLACES = { initial: "initial weights (round 0)", trained: "trained weights (the last round)" } as const;

export type Place = keyof typeof PLACES;

const whole = (least: number) => z.int().min(least).describe(`a whole number ≥ ${least}`);
const path = z.string().min(1).nullable().default(null).describe("a path or null");
const list = z.array(z.json()).min(1).describe("a list");

const cell = z.strictObject({
  name: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  defence: z.string().min(1),
  strength: z.enum(STRENGTHS).nullable(),
  defences: z.array(
    z.strictObject({ name: z.string(), settings: z.record(z.string(), z.union([z.string(), z.number()])) }),
  ),
  localSteps: whole(1).nullable(),
});

const plan = z.strictObject({
  train: z.record(z.string(), z.json()).default({}), // completeTrainSpec checks it
  cells: z.array(cell).min(1).describe("a list of cells"),
  attack: z.strictObject({
    attacks: list,
    seeds: z.union([whole(1), list]).default(3), // our choice: the fewest that show a spread
    /** null: the training's batch, which is what its clients send. */
    batchSize: whole(1).nullable().default(null),
    evaluations: whole(1).default(EVALUATIONS),
    at: z
      .array(z.enum(Object.keys(PLACES) as [Place, ...Place[]]))
      .min(1)
      .default(["initial", "trained"])
      .describe(`a list of ${Object.keys(PLACES).join(" and ")}`),
    grants: z.array(z.string()).default([]).describe("a list of what the server knows beside the batch size"),
    data: path,
    draw: z.enum(["one-per-class", "uniform"]).default("one-per-class").describe("one-per-class or uniform"),
    prior: path,
    mismatchedFloor: z.boolean().default(false),
    checkpointEvery: whole(1).default(50), // as a run's
  }),
});

export type TradeoffRequest = z.input<typeof plan>;

/**
 * The request with every default filled in and checked, but for what needs the data.
 *
 * Throws FedleakError at the first entry that is unknown or wrong, in the plan, in a training or in a trial.
 */
export function completeTradeoff(request: TradeoffRequest): TradeoffPlan {
  const parsed = plan.safeParse(request);
  if (!parsed.success) return complain(parsed.error.issues[0]!);
  const { cells, attack } = parsed.data;
  const train = completeTrainSpec(parsed.data.train as TrainRequest);
  if (train.training === "centralised" || train.federation.defences.length > 0 || train.federation.capture !== null) {
    fail({
      who: "tradeoff",
      must: "it trains federations, each under the defences of its own cell, and captures nothing",
      got: train.training === "centralised" ? "a centralised training" : "defences or a capture for all trainings",
      remedy: "Leave --algorithm centralised, --defence and --capture away.",
    });
  }
  const terms = comparePlanOf(attack.attacks, attack.seeds);
  const whole: TradeoffPlan = {
    train,
    cells,
    attack: {
      ...attack,
      attacks: terms.attacks,
      seeds: terms.seeds,
      batchSize: attack.batchSize ?? train.batchSize,
    },
  };
  for (const own of cells) trainingOf(whole, own);
  return whole;
}

/** How the model of a cell is trained. Defences that leave the average as it is change nothing there. */
export function trainingOf({ train }: Pick<TradeoffPlan, "train">, { defences, localSteps }: Cell): TrainSpec {
  return completeTrainSpec({
    ...train,
    federation: {
      ...train.federation,
      defences: defences.filter(({ name }) => DEFENCES[name] === undefined || !leavesAverage(DEFENCES[name])),
      ...(localSteps !== null && { localSteps }),
    },
  } as TrainRequest);
}

/** Checks attacks and seeds as a comparison does, which runs the trials. */
function comparePlanOf(attacks: readonly unknown[], seeds: unknown): Pick<ComparePlan, "attacks" | "seeds"> {
  return completePlan({ attacks, seeds });
}

function complain(issue: z.core.$ZodIssue): never {
  const who = ["tradeoff", issue.path.join(".")].join(" ").trim();
  if (issue.code === "unrecognized_keys") {
    return unknownName(who, "entry", issue.keys[0]!, [
      ...Object.keys(plan.shape),
      ...Object.keys(plan.shape.attack.shape),
    ]);
  }
  return fail({ who, must: "it must be as the manual says", got: issue.message, remedy: "See docs/tradeoff.md." });
}
