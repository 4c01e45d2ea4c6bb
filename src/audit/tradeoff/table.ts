import { bootstrapMean95, shareInterval95 } from "../../metrics/index.ts";
import { key, split } from "../../util/index.ts";
import { tableOf } from "../compare/table.ts";
import { comparisonOf } from "./cell-trials.ts";
import type { Cell } from "./cells.ts";
import type { Place, TradeoffPlan } from "./plan.ts";
import type { Attacker, CellRow, TradeoffLine } from "./record.ts";

/**
 * The table of a trade-off: for each cell and place one line with the accuracy and every attacker, the worst first.
 *
 * The worst attacker is the one of the highest mean PSNR, so that a defence counts as the better of its attackers sees it. Means,
 * intervals and floors are those of a comparison; a cell without a scored trial has attackers without numbers, last.
 */
export function tradeoffTable(plan: TradeoffPlan, rows: readonly CellRow[]): TradeoffLine[] {
  return plan.cells.flatMap((cell, i) => plan.attack.at.map((place) => lineOf(plan, cell, rows[i]!, place)));
}

function lineOf(plan: TradeoffPlan, cell: Cell, row: CellRow, place: Place): TradeoffLine {
  const { accuracy, images, majorityFloor } = row.training ?? {};
  const trials = row.trials.filter(({ setting }) => setting === place);
  const lines = tableOf(comparisonOf(plan, cell), trials).filter(({ setting }) => setting === place);
  const floors = trials.flatMap(({ result }) => (result ? [result.floor.psnrDb] : []));
  const attackers = lines.map(
    ({ attack, psnrDb, psnrInterval95Db, leakageDb, evaluations, trials: counts }): Attacker => ({
      ...{ attack, psnrDb: psnrDb?.oneToOne ?? null, interval95Db: psnrInterval95Db.oneToOne },
      ...{ leakageDb, leakageInterval95Db: leakageInterval(trials, attack), evaluations, trials: counts },
    }),
  );
  return {
    ...{ cell: cell.name, defence: cell.defence, strength: cell.strength, localSteps: cell.localSteps, place },
    accuracy: accuracy ?? null,
    accuracyInterval95: accuracy === undefined ? null : shareInterval95(accuracy, images!),
    accuracyFloor: majorityFloor ?? null,
    floorDb: floors.length === 0 ? null : floors.reduce((sum, floor) => sum + floor, 0) / floors.length,
    floorRangeDb: floors.length === 0 ? null : [Math.min(...floors), Math.max(...floors)],
    attackers: attackers.sort((a, b) => (b.psnrDb ?? -1) - (a.psnrDb ?? -1)),
  };
}

const BOOTSTRAP = split(key(0), "tradeoff"); // our choice: any fixed key

/** Of each image's PSNR less the highest floor of its own trial: batches differ in what a blank picture scores on them. */
function leakageInterval(trials: CellRow["trials"], attack: string): readonly [number, number] | null {
  const groups = trials.flatMap((trial) =>
    trial.attack === attack && trial.result
      ? [trial.result.psnrDb.oneToOne.map((psnrDb) => psnrDb - trial.result!.floor.psnrDb)]
      : [],
  );
  return groups.length === 0 ? null : bootstrapMean95(groups, BOOTSTRAP);
}
