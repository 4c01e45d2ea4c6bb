import type { DampingPart } from "./schema.ts";

type Path = DampingPart["paths"][number];

/** The start: there f′ is 1, as in the paper's example. */
export const DAMPING_START = 0.5;
/** The share of the gradient ahead in the example. */
export const DAMPING_GAMMA = 0.3; // FedLeak, Appendix D
const STEP_SIZES = [1, 0.9]; // FedLeak, Appendix D
const STEPS = 8; // our choice: by then the damped paths have arrived

/** f(x) = x² */
export function dampingFunction(x: number): number {
  return x * x;
}

/**
 * Gradient descent on f(x) = x² from 0.5, without and with the gradient ahead.
 *
 * x ← x − η·[(1−γ)·f′(x) + γ·f′(x − η·f′(x))], so x_t = 0.5·(1 − 2η(1−2γη))^t; η 1 and 0.9, γ 0 and 0.3.
 * Source: FedLeak, Appendix D and Figure 10. The text at hand has lost the function and the start; x² from 0.5 is the
 * quadratic that fits what is left: gradient 1 at the start and −1 after a step of size 1, blended to 0.7 − 0.3 = 0.4; endless
 * oscillation at η = 1, slow convergence at 0.9.
 */
export function dampingPaths(): Path[] {
  return [0, DAMPING_GAMMA].flatMap((gamma) =>
    STEP_SIZES.map((stepSize) => ({ gamma, stepSize, points: descent(gamma, stepSize) })),
  );
}

function descent(gamma: number, stepSize: number): number[] {
  const slope = (x: number) => 2 * x;
  const points = [DAMPING_START];
  for (let t = 0; t < STEPS; t++) {
    const x = points.at(-1)!;
    const ahead = x - stepSize * slope(x);
    points.push(x - stepSize * ((1 - gamma) * slope(x) + gamma * slope(ahead)));
  }
  return points;
}
