import type { RunEvent } from "../events.ts";
import type { TrialRow } from "./comparison.ts";
import type { TrialPlan } from "./expand.ts";

/** What a comparison tells whoever watches it. */
export type CompareEvent =
  /** A new stage of the work begins. */
  | { readonly kind: "stage"; readonly text: string }
  /** The folder is there; from now on a stopped comparison can be continued. `done` holds the trials not to run again. */
  | {
      readonly kind: "folder";
      readonly folder: string;
      readonly trials: readonly TrialPlan[];
      readonly done: ReadonlySet<string>;
    }
  /** A trial begins, or goes on from its checkpoint. */
  | { readonly kind: "began"; readonly trial: TrialPlan }
  /** What the run of a trial tells. */
  | { readonly kind: "trial"; readonly trial: TrialPlan; readonly event: RunEvent }
  /** A trial stands still: finished, failed or interrupted. */
  | { readonly kind: "ended"; readonly trial: TrialPlan; readonly row: TrialRow };

export interface CompareWatcher {
  readonly onEvent?: ((event: CompareEvent) => void) | undefined;
  /** Aborting it stops every running trial after its iteration, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
}
