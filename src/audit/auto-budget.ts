import { advance } from "../attacks/index.ts";
import { fail } from "../util/index.ts";
import { compileAttack, type Trial } from "./trial.ts";

const TIMED_STEPS = 3; // our choice: after a first one that warms up

/** How many gradient evaluations of a trial's attack fit into what is left of a budget, and what one takes. */
export interface Affordable {
  /** ≥ 1 */
  readonly evaluations: number;
  readonly msPerEvaluation: number;
}

/**
 * Times a few steps of a trial's attack and divides what is left of the budget by them.
 *
 * `left` tells the milliseconds left; the run itself compiles the attack again, and with the mismatched floor it runs
 * twice: both are set aside. Throws FedleakError when not even one step fits.
 */
export async function affordableEvaluations(
  trial: Trial,
  left: () => number,
  signal?: AbortSignal | undefined,
): Promise<Affordable> {
  const [attack, compileMs] = await timed(() => compileAttack(trial));
  try {
    const going = () => !signal?.aborted;
    const [first, firstMs] = await timed(() => attack.step(attack.initial));
    const [last, stepsMs] = await timed(() =>
      advance(attack, first.state, 1 + TIMED_STEPS, () => going() && left() > 0),
    );
    const step = first.state.evaluations; // evaluations of one step
    const counted = (last?.state.evaluations ?? step) - step;
    const msPerEvaluation = counted > 0 ? stepsMs / counted : firstMs / Math.max(1, step);
    const runs = trial.spec.measure.mismatchedFloor ? 2 : 1;
    const evaluations = Math.floor((left() / runs - compileMs) / msPerEvaluation);
    if (evaluations < step && going()) {
      const needed = runs * (compileMs + step * msPerEvaluation) - left();
      fail({
        who: "attack auto",
        must: `the budget must allow one step of ${trial.preset.name}`,
        got: `${Math.max(0, left() / 1000).toFixed(1)} s left after choosing`,
        remedy: `Allow at least ${Math.ceil(needed / 1000)} s more.`,
      });
    }
    return { evaluations: Math.max(step, 1, evaluations), msPerEvaluation };
  } finally {
    await attack.release();
  }
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [T, ms: number]> {
  const began = performance.now();
  const result = await work();
  return [result, performance.now() - began];
}
