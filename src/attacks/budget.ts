import type { AttackSettings } from "./settings.ts";

type Costs = Pick<AttackSettings, "gamma" | "optimiser" | "population" | "restarts">;

/** Gradient evaluations of one iteration: exact, but for l-bfgs, whose line search takes as many as it needs. */
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
  return Math.min(iterations, Math.floor(evaluations / evaluationsPerIteration(settings)));
}
