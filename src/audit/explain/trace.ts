import { type AttackRun, type AttackSettings, type AttackState, advance } from "../../attacks/index.ts";
import type { Tensor } from "../../tensor/index.ts";
import { blendedGradient } from "./look-ahead.ts";
import type { ConvergencePoint } from "./schema.ts";
import { offsetOf, rmsOf, steepnessAt } from "./steepness.ts";
import type { Outcome } from "./task.ts";

export interface TracePlan {
  /** What is iterated. */
  readonly run: Pick<AttackRun, "initial" | "step" | "finished">;
  /** The same attack without look-ahead: its probe gives D, its steps the points ahead. */
  readonly plain: Pick<AttackRun, "step" | "probe">;
  readonly settings: Pick<AttackSettings, "gamma" | "lookahead" | "lookaheadStep" | "iterations">;
  /** The private images, [B,C,H,W]: only compared with, never given to the attack. */
  readonly truth: Tensor<"float32">;
  /** Iterations between points. */
  readonly every: number;
  readonly onIteration: (iteration: number) => void;
  readonly stopped: () => boolean;
}

export interface Trace extends Outcome {
  readonly points: ConvergencePoint[];
  /** The last good state. */
  readonly last: AttackState;
}

/** Runs an attack from its start and measures μ and L every so many iterations, at the start and at the end. */
export async function traceConvergence(plan: TracePlan): Promise<Trace> {
  const { run, settings, every } = plan;
  const points: ConvergencePoint[] = [];
  let state = run.initial;
  let broken = false;
  const measure = async () => {
    const point = await pointAt(state, plan);
    if (point) points.push(point);
    else broken = true;
  };
  await measure();
  const last = await advance(run as AttackRun, state, settings.iterations, async (result) => {
    state = result.state;
    plan.onIteration(state.iteration);
    if (state.iteration % every === 0 || run.finished(state)) await measure();
    return !broken && !plan.stopped();
  });
  if (last?.failure) return { status: "failed", failure: last.failure.message, points, last: state };
  if (broken) {
    const failure = `explain: objective and images must be finite; got NaN or infinity after iteration ${state.iteration}. Lower learningRate.`;
    return { status: "failed", failure, points, last: state };
  }
  return { status: run.finished(state) ? "finished" : "interrupted", points, last: state };
}

/** undefined when the objective, its gradient or the images are not finite there. */
async function pointAt(
  state: AttackState,
  { plain, truth, settings }: TracePlan,
): Promise<ConvergencePoint | undefined> {
  const here = await plain.probe(state);
  const finite = [here.images, here.gradient].every(({ data }) => data.every(Number.isFinite));
  if (!finite || !Number.isFinite(here.loss)) return undefined;
  const blend = await blendedGradient(plain, state, here, settings);
  const offset = offsetOf(truth, here.images);
  return {
    iteration: state.iteration,
    loss: here.loss,
    rms: rmsOf(offset.difference),
    here: steepnessAt(offset, here.gradient),
    blended: blend === undefined ? null : steepnessAt(offset, blend),
  };
}
