import type { AttackSettings } from "./settings.ts";

type Costs = Pick<AttackSettings, "gamma" | "optimiser" | "population" | "restarts" | "polish">;

const TINY = 1e-9; // so that rounding does not cost an iteration

/**
 * Gradient evaluations of one iteration before any polish: exact, but for l-bfgs, whose line search takes as many as it needs.
 *
 * One is the gradient of each candidate image of the update once, in one piece or, for `localModel` unrolled, in as many as
 * there are local steps: the image gradients are as many (our choice; docs/local-steps.md has the times). An `adaptive` attack on
 * dp-sgd or adaptive-dp with 2 ≤ B ≤ 8 images takes B gradients of single images besides, which are not counted.
 */
export function evaluationsPerIteration({ gamma, optimiser, population, restarts }: Costs): number {
  const each = { "l-bfgs": 1, "cma-es": population }[optimiser as string] ?? (gamma > 0 ? 2 : 1);
  return each * restarts;
}

/**
 * How many iterations are planned: `iterations`, or as many as the `evaluations` allow, if that is less.
 *
 * So schedules end where the budget does. Result: ≥ 0.
 */
export function affordable(settings: Costs & Pick<AttackSettings, "iterations" | "evaluations">): number {
  const { iterations, evaluations } = settings;
  if (evaluations === 0) return iterations;
  const { polish, restarts } = settings;
  const mean = (1 - polish) * evaluationsPerIteration(settings) + polish * restarts; // a polish takes one a candidate
  return Math.min(iterations, Math.floor(evaluations / mean + TINY));
}
