import { fail } from "../util/index.ts";

/** Iteration 0, 1, … → the factor on the learning rate in that iteration, ≥ 0. */
export type Schedule = (iteration: number) => number;

/** 1 at all times. */
export function constant(): Schedule {
  return () => 1;
}

/**
 * Half a cosine from 1 at iteration 0 to `floor` at iteration `total`, and `floor` after it: floor + (1−floor)(1 + cos(πi/total))/2.
 *
 * Source: Loshchilov and Hutter, "SGDR", ICLR 2017, without restarts; as PyTorch's CosineAnnealingLR with T_max = total.
 * Differs: stays at the floor after `total`, where PyTorch's would rise again.
 */
export function cosine(total: number, floor = 0): Schedule {
  needPositive("cosine", total);
  return (i) => floor + ((1 - floor) * (1 + Math.cos((Math.PI * Math.min(i, total)) / total))) / 2;
}

/**
 * The factor to the power of the milestones reached: iteration ≥ ⌊share · total⌋ for each share in (0,1).
 *
 * Shares 3/8, 5/8, 7/8 and factor 0.1 by default. Source: Geiping et al., "Inverting gradients", NeurIPS 2020; as PyTorch's MultiStepLR.
 */
export function step(total: number, shares: readonly number[] = [3 / 8, 5 / 8, 7 / 8], factor = 0.1): Schedule {
  needPositive("step", total);
  const milestones = shares.map((share) => Math.floor(share * total));
  return (i) => factor ** milestones.filter((milestone) => i >= milestone).length;
}

/**
 * floor^(i/total): falls by the same factor in each iteration and reaches `floor` > 0 at iteration `total`.
 *
 * As PyTorch's ExponentialLR with gamma = floor^(1/total).
 */
export function exponential(total: number, floor: number): Schedule {
  needPositive("exponential", total);
  if (!(floor > 0)) {
    fail({
      who: "exponential",
      must: "floor must be > 0",
      got: `${floor}`,
      remedy: "Set scheduleFloor, to 0.01 for one.",
    });
  }
  return (i) => floor ** (Math.min(i, total) / total);
}

/**
 * `one` begun anew every `cycle` iterations: a sharp rise of the step size that leaves saddle points and poor minima.
 *
 * i → one(i mod cycle). Source: Loshchilov and Hutter, "SGDR", ICLR 2017, with cycles of one length (T_mult = 1).
 */
export function warmRestarts(cycle: number, one: Schedule): Schedule {
  needPositive("warmRestarts", cycle);
  return (i) => one(i % cycle);
}

/** `after`, multiplied by (i+1)/steps during the first `steps` iterations; `after` keeps its own count from 0. */
export function warmUp(steps: number, after: Schedule): Schedule {
  return steps === 0 ? after : (i) => Math.min(1, (i + 1) / steps) * after(i);
}

function needPositive(who: string, total: number): void {
  if (!(total > 0)) fail({ who, must: "total must be > 0", got: `${total}`, remedy: "Ask for an iteration or more." });
}
