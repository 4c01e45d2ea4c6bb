import { adam, adamw, constant, cosine, type Schedule, sgd, step, type Transform, warmUp } from "../optim/index.ts";
import type { AttackSettings } from "./settings.ts";

/** The rule that moves what is optimised. Signing happens before the look-ahead blend, so it is no part of it. */
export function optimiserOf({ optimiser, weightDecay }: Pick<AttackSettings, "optimiser" | "weightDecay">): Transform {
  return { adam, adamw, sgd }[optimiser]({ weightDecay });
}

/** The factor on the step size by iteration 0, 1, …; `iterations` is the planned total. */
export function scheduleOf(settings: Pick<AttackSettings, "schedule" | "warmUp" | "iterations">): Schedule {
  const { schedule, iterations } = settings;
  return warmUp(settings.warmUp, { constant, cosine, step }[schedule](iterations));
}
