import {
  adam,
  adamw,
  constant,
  cosine,
  exponential,
  type Schedule,
  sgd,
  step,
  type Transform,
  warmUp,
} from "../optim/index.ts";
import type { AttackSettings } from "./settings.ts";

/** The rule that moves what is optimised by its gradient. Signing happens before the look-ahead blend, so it is no part of it. */
export function transformOf({ optimiser, weightDecay }: Pick<AttackSettings, "optimiser" | "weightDecay">): Transform {
  const make = { adam, adamw, sgd }[optimiser as "adam" | "adamw" | "sgd"]; // the others are searches of their own
  return make({ weightDecay });
}

/** The factor on the step size by iteration 0, 1, …; `total` iterations are planned. */
export function scheduleOf(
  { schedule, scheduleFloor, warmUp: steps }: Pick<AttackSettings, "schedule" | "scheduleFloor" | "warmUp">,
  total: number,
): Schedule {
  const after = {
    constant: () => constant(),
    step: () => step(total),
    cosine: () => cosine(total, scheduleFloor),
    exponential: () => exponential(total, scheduleFloor),
  }[schedule];
  return warmUp(steps, after());
}
