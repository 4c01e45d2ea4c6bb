import { planDefences } from "../train/defended.ts";
import { participationsOf, partsOf } from "../train/parts.ts";
import { prepareTraining } from "../train/prepare.ts";
import { prepareTrial } from "../trial.ts";
import { trialsOf } from "./cell-trials.ts";
import { type TradeoffPlan, trainingOf } from "./plan.ts";

/**
 * Reads the data once and checks the training and the trials of every cell as far as that is quick: partition, noise that
 * can be planned, specs; of the cell without a defence one update is computed.
 *
 * Throws FedleakError at the first that could not begin.
 */
export async function checkCells(plan: TradeoffPlan): Promise<void> {
  const training = await prepareTraining(plan.train);
  const parts = await partsOf(training);
  for (const cell of plan.cells) {
    const own = { ...training, spec: trainingOf(plan, cell) };
    planDefences(own, participationsOf(own, parts));
    const [first] = trialsOf(plan, cell);
    if (cell.defences.length > 0) continue;
    const { programs } = await prepareTrial(first!.spec);
    await programs.release();
  }
}
