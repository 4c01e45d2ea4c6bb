import { FedleakError } from "../../util/index.ts";
import type { Trial } from "../trial.ts";
import { versions } from "../versions.ts";
import { isWriteError } from "../write-file.ts";
import { measureConvergence } from "./convergence.ts";
import { dampingPaths } from "./damping.ts";
import { measureNoise } from "./noise.ts";
import type { PartName, Parts } from "./schema.ts";
import { measureSensitivity } from "./sensitivity.ts";
import type { ExplainEvent, ExplainOptions, Task } from "./task.ts";

export interface PartPlan {
  readonly trial: Trial;
  readonly options: ExplainOptions;
  readonly print: string;
  /** What an earlier go has left of this part. */
  readonly old: Parts;
  /** Keeps what there is in the middle of a part. */
  readonly keep: (parts: Parts) => Promise<void>;
  readonly onEvent: (event: ExplainEvent) => void;
  readonly stopped: () => boolean;
}

/** Computes one part. A user's error inside it ends that part with its failure; errors of writing are thrown. */
export async function measurePart<P extends PartName>(part: P, plan: PartPlan): Promise<Required<Pick<Parts, P>>> {
  const began = performance.now();
  const earlier = plan.old[part]?.seconds ?? 0;
  const stand = () => ({
    print: plan.print,
    seconds: earlier + (performance.now() - began) / 1000,
    versions: versions(),
  });
  const task: Task = {
    trial: plan.trial,
    options: plan.options,
    tick: (done, total) => plan.onEvent({ kind: "progress", part, done, total }),
    stage: (text) => plan.onEvent({ kind: "stage", text }),
    stopped: plan.stopped,
  };
  const of = (found: Found<P>) => ({ [part]: { ...found, ...stand() } }) as unknown as Required<Pick<Parts, P>>;
  const keep = (found: Found<"convergence">) => plan.keep({ convergence: { ...found, ...stand() } });
  const measure: { readonly [Q in PartName]: () => Promise<Found<Q>> } = {
    convergence: () => measureConvergence(task, plan.old.convergence?.variants ?? [], keep),
    noise: () => measureNoise(task),
    sensitivity: () => measureSensitivity(task),
    damping: async () => ({ status: "finished", paths: dampingPaths() }),
  };
  try {
    return of(await measure[part]());
  } catch (error) {
    if (!(error instanceof FedleakError) || isWriteError(error)) throw error;
    return of({ ...NOTHING[part], status: "failed", failure: error.message } as unknown as Found<P>);
  }
}

/** A part without what is the same for all. */
type Found<P extends PartName> = Omit<NonNullable<Parts[P]>, "print" | "seconds" | "versions">;

/** What a part holds that failed before it measured anything. */
const NOTHING: { readonly [P in PartName]: Omit<Found<P>, "status" | "failure"> } = {
  convergence: { iterations: 0, every: 0, notes: [], variants: [] },
  noise: { draws: 0, maskRatio: 0, gradientNorm: 0, full: [], partial: [] },
  sensitivity: { scopes: [] },
  damping: { paths: [] },
};
