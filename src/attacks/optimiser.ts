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
  warmRestarts,
  warmUp,
} from "../optim/index.ts";
import type { AttackSettings } from "./settings.ts";

/** The rule that moves what is optimised by its gradient. Signing happens before the look-ahead blend, so it is no part of it. */
export function transformOf({ optimiser, weightDecay }: Pick<AttackSettings, "optimiser" | "weightDecay">): Transform {
  const make = { adam, adamw, sgd }[optimiser as "adam" | "adamw" | "sgd"]; // the others are searches of their own
  return make({ weightDecay });
}

type ScheduleSettings = Pick<AttackSettings, "schedule" | "scheduleFloor" | "scheduleCycle" | "warmUp">;

/** The factor on the step size by iteration 0, 1, …; `total` iterations are planned. */
export function scheduleOf(
  { schedule, scheduleFloor, scheduleCycle, warmUp: steps }: ScheduleSettings,
  total: number,
): Schedule {
  const length = scheduleCycle > 0 ? Math.min(scheduleCycle, total) : total;
  const after = {
    constant: () => constant(),
    step: () => step(length),
    cosine: () => cosine(length, scheduleFloor),
    exponential: () => exponential(length, scheduleFloor),
  }[schedule]();
  return warmUp(steps, scheduleCycle > 0 ? warmRestarts(length, after) : after);
}
