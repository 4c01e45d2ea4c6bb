import { DEFENCES } from "../../defences/index.ts";
import { DEFAULT_GRANTS } from "../../fl/index.ts";
import { expandPlan, type TrialPlan } from "../compare/expand.ts";
import { type CompareAttack, type ComparePlan, completePlan } from "../compare/plan.ts";
import { leavesAverage } from "../train/defence-spec.ts";
import type { AppliedDefence, TrainRecord } from "../train/record.ts";
import type { TrainSpec } from "../train/spec.ts";
import { scheduleOf } from "../train/task.ts";
import type { Cell } from "./cells.ts";
import { type Place, type TradeoffPlan, trainingOf } from "./plan.ts";

/** What the trials of a cell stand on, once its model is trained. */
export interface CellModel {
  /** The file of its weights. */
  readonly weights: string;
  readonly record: Pick<TrainRecord, "defences" | "results">;
}

/**
 * The attacks on a cell as a comparison: its settings are the places, all with the cell's defences as its clients apply them.
 *
 * Without a model, before the training, everything is as it will be but for the weights' file and the noise that was
 * planned: enough to check it. A server that adapts must know the defence, so it is granted where an attack asks for it.
 */
export function comparisonOf(plan: TradeoffPlan, cell: Cell, model?: CellModel): ComparePlan {
  const { attack } = plan;
  const train = trainingOf(plan, cell);
  const steps = train.training === "fedsgd" ? 1 : train.federation.localSteps;
  const attacks = attackersOf(plan, cell);
  const grants = [...DEFAULT_GRANTS, ...attack.grants, ...(attacks.some(isAdaptive) ? ["defence"] : [])];
  const settings = attack.at.map((place) => ({
    name: place,
    model: { ...train.model, ...(place === "trained" && { weights: model?.weights ?? null }) },
    data: {
      ...{ name: train.data.name, path: attack.data ?? train.data.paths[0] ?? null },
      ...{ size: train.data.size, draw: attack.draw },
    },
    client: {
      ...{ batchNorm: train.batchNorm, grants, defences: defencesAt(cell, place, model) },
      ...(steps !== null && steps > 1 && { localSteps: steps, localLearningRate: rateAt(train, place) }),
    },
    prior: attack.prior,
  }));
  const { seeds, batchSize: size, evaluations, mismatchedFloor, checkpointEvery } = attack;
  const { device, threads } = train;
  const request = {
    settings,
    attacks,
    seeds,
    batches: [{ size, evaluations }],
    evaluations,
  };
  return completePlan({ ...request, ...{ mismatchedFloor, checkpointEvery, device, threads } });
}

/** The learning rate of a client's steps: that of the first round, or that of the last by the training's schedule. */
export function rateAt(train: TrainSpec, place: Place): number {
  return train.optimiser.learningRate * scheduleOf(train)(place === "initial" ? 0 : train.length - 1);
}

/** Who attacks a cell: those that adapt only where there is a defence, unless there are no others. */
export function attackersOf({ attack }: Pick<TradeoffPlan, "attack">, { defences }: Cell): readonly CompareAttack[] {
  const naive = attack.attacks.filter((one) => !isAdaptive(one));
  return defences.length > 0 || naive.length === 0 ? attack.attacks : naive;
}

/** Whether an attacker re-applies the client's defence. */
export function isAdaptive({ settings }: CompareAttack): boolean {
  return settings.adaptive === true || settings.adaptive === "true";
}

/** The trials of a cell, in the order in which they run. Throws FedleakError when a spec or an attack's setting is wrong. */
export function trialsOf(plan: TradeoffPlan, cell: Cell, model?: CellModel): TrialPlan[] {
  return expandPlan(comparisonOf(plan, cell, model));
}

/** A cell's defences in its order: those that the training applied as it applied them by then, the others as asked. */
function defencesAt({ defences }: Cell, place: Place, model: CellModel | undefined): AppliedDefence[] {
  const { defences: first = [], results } = model?.record ?? {};
  const applied = [...(place === "initial" ? first : (results?.defences ?? first))];
  return defences.map(({ name, settings }) => {
    const asked = { name, settings: { ...settings } };
    return leavesAverage(DEFENCES[name]!) ? asked : (applied.shift() ?? asked);
  });
}
