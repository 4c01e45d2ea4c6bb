import type { Trial } from "../trial.ts";
import type { PartName } from "./schema.ts";

/** What an explanation tells whoever watches it. */
export type ExplainEvent =
  | { readonly kind: "stage"; readonly text: string }
  /** The folder is there; from now on what is finished is kept. */
  | { readonly kind: "folder"; readonly folder: string }
  | { readonly kind: "part"; readonly part: PartName; readonly state: "begun" | "kept" | Outcome["status"] }
  | { readonly kind: "progress"; readonly part: PartName; readonly done: number; readonly total: number };

/** How much is measured. */
export interface ExplainOptions {
  /** Points along each run of the convergence part, the first and the last included; at least 2. */
  readonly probes: number;
  /** Draws of noise at each strength. */
  readonly draws: number;
  /** Gradient entries whose sensitivity is measured, in each scope. */
  readonly entries: number;
}

/** What a part works with. It sees the private batch: no attack is given it. */
export interface Task {
  readonly trial: Trial;
  readonly options: ExplainOptions;
  /** One more piece of work of the part is done, of `total`. */
  readonly tick: (done: number, total: number) => void;
  readonly stage: (text: string) => void;
  /** Whether to stop in order, with what there is. */
  readonly stopped: () => boolean;
}

/** How a part ended. */
export interface Outcome {
  readonly status: "finished" | "interrupted" | "failed";
  readonly failure?: string;
}
