/** What a training tells whoever watches it. */
export type TrainEvent =
  /** A new stage of the work begins. */
  | { readonly kind: "stage"; readonly text: string }
  /** The folder is there; from now on a stopped training can be continued. */
  | { readonly kind: "folder"; readonly folder: string }
  | ({ readonly kind: "advance" } & AdvanceEvent);

/** One finished step or round. */
export interface AdvanceEvent {
  readonly unit: "step" | "round";
  /** Done, out of `total`. */
  readonly done: number;
  readonly total: number;
  /** Spent on training, by all processes together. */
  readonly seconds: number;
  /** Where this process began: not at 0 when it resumed. */
  readonly since: { readonly done: number; readonly seconds: number };
  readonly loss: number;
  readonly trainAccuracy?: number;
  /** On the public split; only where it was measured. */
  readonly accuracy?: number;
}

export interface TrainWatcher {
  readonly onEvent?: ((event: TrainEvent) => void) | undefined;
  /** Aborting it stops the training after the current step or round, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
}
