/** What a run tells whoever watches it; never anything of the private images unless the spec says to peek. */
export type RunEvent =
  /** A new stage of the work begins. */
  | { readonly kind: "stage"; readonly text: string }
  /** The run's folder is there; from now on a stopped run can be continued. */
  | { readonly kind: "folder"; readonly folder: string }
  | ({ readonly kind: "iteration" } & IterationEvent);

/** One finished iteration. */
export interface IterationEvent {
  /** The attack itself, or its control for the mismatched-gradient floor. */
  readonly part: "attack" | "mismatched";
  /** Iterations done, out of `iterations`. */
  readonly iteration: number;
  readonly iterations: number;
  /** Gradient evaluations done. */
  readonly evaluations: number;
  /** Spent on iterations, by all processes together. */
  readonly seconds: number;
  /** Where this process began: not at 0 when it resumed. */
  readonly since: { readonly iteration: number; readonly seconds: number };
  readonly loss: number;
  readonly cosine: number;
  /** One-to-one PSNR of the iterate; only when the spec says to peek. */
  readonly peekPsnrDb?: number;
}

export interface Watcher {
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  /** Aborting it stops the run after the current iteration, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
}
