import type { TrialRow } from "../compare/comparison.ts";
import type { TrialPlan } from "../compare/expand.ts";
import type { RunEvent } from "../events.ts";
import type { TrainEvent } from "../train/events.ts";
import type { Cell } from "./cells.ts";
import type { CellRow } from "./record.ts";

/** What a trade-off tells whoever watches it. */
export type TradeoffEvent =
  /** A new stage of the work begins. */
  | { readonly kind: "stage"; readonly text: string }
  /** The folder is there; from now on a stopped trade-off can be continued. */
  | { readonly kind: "folder"; readonly folder: string; readonly cells: readonly CellPlan[] }
  /** A cell's training, as it tells it. */
  | { readonly kind: "training"; readonly cell: Cell; readonly event: TrainEvent }
  /** A cell's model stands. */
  | { readonly kind: "trained"; readonly cell: Cell; readonly row: CellRow }
  /** A cell's trial, as its run tells it. */
  | { readonly kind: "trial"; readonly cell: Cell; readonly trial: TrialPlan; readonly event: RunEvent }
  | { readonly kind: "attacked"; readonly cell: Cell; readonly trial: TrialPlan; readonly row: TrialRow }
  /** A cell stands still: finished, failed or interrupted. */
  | { readonly kind: "ended"; readonly cell: Cell; readonly row: CellRow };

/** How much of a cell there is to do yet. */
export interface CellPlan {
  readonly cell: Cell;
  readonly training: boolean;
  readonly trials: number;
}

export interface TradeoffWatcher {
  readonly onEvent?: ((event: TradeoffEvent) => void) | undefined;
  /** Aborting it stops the training or trial under way, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
}
