import type { IterationEvent } from "../../events.ts";
import type { CheckReport } from "../check.ts";

/** What an audit tells whoever watches it. */
export type AuditEvent =
  | { readonly kind: "stage"; readonly text: string }
  /** What `check` says, before anything is attacked. */
  | { readonly kind: "checked"; readonly report: CheckReport }
  | { readonly kind: "folder"; readonly folder: string }
  | ({ readonly kind: "iteration"; readonly run: SearchRun } & IterationEvent);

/** Which of an audit's searches is at work. */
export interface SearchRun {
  /** seed-0, …, control */
  readonly name: string;
  /** From 0, of `of`, all of them equally long. */
  readonly index: number;
  readonly of: number;
}

export interface AuditWatcher {
  readonly onEvent?: ((event: AuditEvent) => void) | undefined;
  /** Aborting it stops the audit after the current iteration, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
}
