import { advance } from "../../../attacks/index.ts";
import { fail } from "../../../util/index.ts";
import { type AttackChoice, compileSearch, type Subject } from "./subject.ts";

const TIMED_STEPS = 3; // our choice, as fedleak attack auto: after a first one that warms up

/** How many gradient evaluations each search may take, and how they were counted. */
export interface Allowance {
  /** ≥ 1 */
  readonly evaluations: number;
  readonly msPerEvaluation: number;
}

/**
 * Shares what is left of a budget among `runs` equal searches, the control one of them: times a few steps of the first.
 *
 * Each search is compiled anew, so that time is set aside as often. The number of evaluations is what can be repeated;
 * the time it takes is not. Throws FedleakError when not even one step of each fits.
 */
export async function shareBudget(
  subject: Subject,
  choice: AttackChoice,
  runs: number,
  left: () => number,
  going: () => boolean,
): Promise<Allowance> {
  const began = performance.now();
  const attack = await compileSearch(subject, choice, 0);
  const compileMs = performance.now() - began;
  try {
    const first = await timed(() => attack.step(attack.initial));
    const each = first.result.state.evaluations;
    const more = await timed(() => advance(attack, first.result.state, 1 + TIMED_STEPS, () => going() && left() > 0));
    const counted = (more.result?.state.evaluations ?? each) - each;
    const msPerEvaluation = counted > 0 ? more.ms / counted : first.ms / Math.max(1, each);
    const evaluations = Math.floor((left() / runs - compileMs) / msPerEvaluation);
    if (evaluations < each && going()) {
      const needed = runs * (compileMs + each * msPerEvaluation) - left();
      fail({
        who: "audit budget",
        must: `it must allow a step of each of ${runs} searches, the control one of them`,
        got: `${Math.max(0, left() / 1000).toFixed(1)} s left after the check`,
        remedy: `Allow at least ${Math.ceil(needed / 1000)} s more, or fewer --seeds.`,
      });
    }
    return { evaluations: Math.max(1, each, evaluations), msPerEvaluation };
  } finally {
    await attack.release();
  }
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const began = performance.now();
  const result = await work();
  return { result, ms: performance.now() - began };
}
