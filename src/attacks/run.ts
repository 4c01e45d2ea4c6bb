import type { Node } from "../graph/index.ts";
import type { CompileOptions } from "../runtime/index.ts";
import type { Tensor, Tensors } from "../tensor/index.ts";

/** All that an attack carries from one iteration to the next: enough to go on exactly as if it had not stopped. */
export interface AttackState {
  /** Iterations done. */
  readonly iteration: number;
  /** Gradient evaluations done: the cost, comparable between attacks. */
  readonly evaluations: number;
  /** Variables, moments, label logits, the generator's latent vectors and memory. */
  readonly tensors: Tensors<"float32">;
}

/** Why a run cannot go on. */
export interface AttackFailure {
  readonly kind: "not-finite";
  /** The iteration that failed, counted from 0. */
  readonly iteration: number;
  readonly message: string;
}

/** One iteration's outcome. loss, cosine and gradientNorm belong to the point that was stepped from. */
export interface StepResult {
  /** The next state; after a failure the last good one, that is the state given. */
  readonly state: AttackState;
  readonly loss: number;
  /** cos(g′, ĝ) over all gradient entries, in [−1, 1]. */
  readonly cosine: number;
  /** ‖D‖ over all variables. */
  readonly gradientNorm: number;
  readonly failure?: AttackFailure;
}

/** The objective at a state as a function of the images, whatever is optimised: for the convergence plots (Fig. 1c, 1d). */
export interface Probe {
  /** [B,C,H,W], before any filter. */
  readonly images: Tensor<"float32">;
  /** D, the gradient of the loss by the images. */
  readonly gradient: Tensor<"float32">;
  readonly loss: number;
  readonly cosine: number;
}

/** One iteration as a graph, how it is compiled, and what it is fed. */
export interface StepProgram {
  readonly outputs: Readonly<Record<string, Node>>;
  readonly options: CompileOptions;
  readonly feeds: Tensors<"float32">;
}

/** A compiled attack on one observation. */
export interface AttackRun {
  readonly initial: AttackState;
  /** What the run assumes, in words, for the ledger. */
  readonly ledger: Readonly<Record<string, string>>;
  step(state: AttackState): Promise<StepResult>;
  /** Whether a state's tensors are those that this attack carries: false for one of another version. */
  fits(state: AttackState): boolean;
  /** Whether a state has used up the iterations or evaluations it may take, or has nothing left to gain. */
  finished(state: AttackState): boolean;
  /** What `step` runs at a state, before compilation: for profiles. */
  program(state: AttackState): StepProgram;
  /** The state's images [B,C,H,W] in [0,1], after the preset's filter. */
  reconstruct(state: AttackState): Promise<Tensor<"float32">>;
  probe(state: AttackState): Promise<Probe>;
  /** B classes, one a reconstructed image, in their order. */
  inferredLabels(state: AttackState): readonly number[];
  /** Of a closed form: what became of it. */
  solution?(state: AttackState): Solution;
  /** Frees the compiled programs; the run cannot be used afterwards. */
  release(): Promise<void>;
}

/** What a closed form came to. */
export interface Solution {
  /** Whether it found all images of the batch. */
  readonly complete: boolean;
  /**
   * The largest relative residual ‖A·x − b‖/‖b‖ of the layers' systems; NaN before its step. About 1e-6 of a sound float32 gradient:
   * where it is large, what was found solves nothing, whatever its gradient is.
   */
  readonly relativeResidual: number;
  /** In words, for the ledger. */
  readonly about: string;
}

/**
 * Runs iterations until `state.iteration` reaches `until`, the run has finished, `onStep` returns false, or a
 * step fails.
 *
 * Result: the last step's outcome, or undefined when there was nothing to do.
 */
export async function advance(
  run: AttackRun,
  from: AttackState,
  until: number,
  onStep: (result: StepResult) => boolean | undefined | Promise<boolean | undefined> = () => true,
): Promise<StepResult | undefined> {
  let last: StepResult | undefined;
  for (let state = from; state.iteration < until && !run.finished(state); state = last.state) {
    last = await run.step(state);
    if (last.failure || (await onStep(last)) === false) break;
  }
  return last;
}
