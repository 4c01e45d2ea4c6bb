import { FedleakError } from "../../util/index.ts";
import type { TrialRow } from "../compare/comparison.ts";
import { emptyRow } from "../compare/row.ts";
import { runTrial } from "../compare/run-trial.ts";
import type { RenderReport } from "../run-files.ts";
import type { RenderTraining } from "../train/files.ts";
import { isWriteError } from "../write-file.ts";
import { type CellModel, trialsOf } from "./cell-trials.ts";
import type { Cell } from "./cells.ts";
import type { TradeoffWatcher } from "./events.ts";
import { type TradeoffPlan, trainingOf } from "./plan.ts";
import type { CellRow } from "./record.ts";
import { cellFolders, makeCellFolder } from "./tradeoff-folder.ts";
import { trainCell, trainingOutcome } from "./train-cell.ts";

export interface CellWork {
  readonly plan: TradeoffPlan;
  readonly cell: Cell;
  /** The trade-off's. */
  readonly folder: string;
  readonly command: string;
  readonly render: { readonly training: RenderTraining; readonly trial: RenderReport };
  /** Called with the row whenever a part of the cell is done, so that it is stored. */
  readonly save: (row: CellRow) => Promise<void>;
}

/**
 * Trains a cell's model and attacks what its clients send, each part only where it is not done yet.
 *
 * What goes wrong is a row with its failure, so that the other cells go on: a training that diverges or cannot begin leaves
 * nothing to attack; a trial that fails is a row of its own. Errors of writing are thrown, since they would meet every cell.
 */
export async function runCell(work: CellWork, watcher: TradeoffWatcher): Promise<CellRow> {
  const { plan, cell, folder, command, render } = work;
  const { signal, onEvent } = watcher;
  const places = cellFolders(folder, cell.name);
  const empty: CellRow = { name: cell.name, status: "running", trials: [] };
  let row = empty;
  try {
    await makeCellFolder(folder, cell.name);
    const record = await trainCell(
      {
        folder: places.train,
        spec: trainingOf(plan, cell),
        command: `${command} # ${cell.name}`,
        render: render.training,
      },
      { signal, onEvent: (event) => onEvent?.({ kind: "training", cell, event }) },
    );
    const training = trainingOutcome(record);
    if (training === undefined) return { ...empty, status: "interrupted" };
    row = { ...empty, training };
    if (record.status === "failed") return { ...row, status: "failed", failure: record.failure! };
    onEvent?.({ kind: "trained", cell, row });
    row = { ...row, trials: await attackCell(work, { weights: places.weights, record }, row, watcher) };
    return { ...row, status: row.trials.every(isDone) ? "finished" : "interrupted" };
  } catch (error) {
    if (isWriteError(error)) throw error;
    if (signal?.aborted && error instanceof FedleakError && error.cause === signal.reason) {
      return { ...row, status: "interrupted" };
    }
    return { ...row, status: "failed", failure: error instanceof Error ? error.message : String(error) };
  }
}

/** The rows of a cell's trials, all of them; those behind an abort are left for a resume. */
async function attackCell(
  { plan, cell, folder, command, render, save }: CellWork,
  model: CellModel,
  row: CellRow,
  { signal, onEvent }: TradeoffWatcher,
): Promise<readonly TrialRow[]> {
  const trials = trialsOf(plan, cell, model);
  const rows = trials.map((trial) => emptyRow(trial));
  for (const [i, trial] of trials.entries()) {
    if (signal?.aborted) break;
    const task = {
      ...{ trial, folder: cellFolders(folder, cell.name).trial(trial.id) },
      command: `${command} # ${cell.name} ${trial.id}`,
    };
    rows[i] = await runTrial(task, {
      render: render.trial,
      signal,
      onEvent: (event) => onEvent?.({ kind: "trial", cell, trial, event }),
    });
    onEvent?.({ kind: "attacked", cell, trial, row: rows[i] });
    await save({ ...row, trials: [...rows] });
  }
  return rows;
}

function isDone({ status }: TrialRow): boolean {
  return status === "finished" || status === "failed";
}
