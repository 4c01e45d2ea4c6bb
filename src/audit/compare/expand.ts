import { completeSettings, findAttack } from "../../attacks/index.ts";
import { fail } from "../../util/index.ts";
import { completeSpec, type RunRequest, type RunSpec } from "../spec.ts";
import type { CompareAttack, CompareBatch, ComparePlan, CompareSetting } from "./plan.ts";

/** One trial of a comparison: one attack on one batch. */
export interface TrialPlan {
  /** The name of its folder. */
  readonly id: string;
  /** The setting's name. */
  readonly setting: string;
  readonly batchSize: number;
  /** The attack's label. */
  readonly attack: string;
  readonly seed: number;
  /** The most gradient evaluations it may use. */
  readonly evaluations: number;
  /** What the trial does, as an ordinary run. */
  readonly spec: RunSpec;
}

/**
 * Every trial of a plan, in the order in which they run: setting, batch size, seed, attack. So all attacks have met the
 * first batch before any meets the second, and a comparison that is stopped early still compares.
 *
 * Trials of one setting, batch size and seed differ in the attack only: same batch, same weights, same key of its draws.
 * Throws FedleakError when a spec or a setting of an attack is wrong, or two trials would share a folder.
 */
export function expandPlan(plan: ComparePlan): TrialPlan[] {
  const trials = plan.settings.flatMap((setting) =>
    plan.batches.flatMap((batch) =>
      plan.seeds.flatMap((seed) => plan.attacks.map((attack) => trialOf(plan, setting, batch, seed, attack))),
    ),
  );
  const ids = trials.map(({ id }) => id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) {
    fail({
      who: "plan",
      must: "every trial must have a folder of its own",
      got: `${twice} for two`,
      remedy: 'Give the attacks labels ("as") that differ in letters or digits.',
    });
  }
  return trials;
}

export const PEEKS = 20; // points of a trial's curve; our choice: enough to see where it flattens

function trialOf(
  plan: ComparePlan,
  { name, about: _, prior = null, ...subject }: CompareSetting,
  { size, evaluations }: CompareBatch,
  seed: number,
  { as, name: attack, settings: overrides, ...more }: CompareAttack,
): TrialPlan {
  const settings = budgeted(attack, overrides, evaluations);
  const { iterations } = completeSettings(findAttack(attack), settings);
  const request = {
    ...subject,
    attack: { prior, ...more, name: attack, settings },
    client: { ...(subject.client as object | undefined), batchSize: size },
    measure: { mismatchedFloor: plan.mismatchedFloor, peekEvery: Math.max(1, Math.floor(iterations / PEEKS)) },
    checkpointEvery: plan.checkpointEvery,
    device: plan.device,
    threads: plan.threads,
    seed,
  };
  return {
    id: `${name}-b${size}-${slug(as)}-s${seed}`,
    setting: name,
    batchSize: size,
    attack: as,
    seed,
    evaluations,
    spec: completeSpec(request as RunRequest), // checks every entry
  };
}

/**
 * An attack's overrides with its budget: as many iterations as the budget could ever pay, at one evaluation each; the
 * `evaluations` setting then lowers them to what the attack's iterations cost.
 */
function budgeted(attack: string, settings: CompareAttack["settings"], evaluations: number): CompareAttack["settings"] {
  if (Object.hasOwn(settings, "evaluations")) {
    fail({
      who: `plan attack ${attack}`,
      must: "every attack has the same budget",
      got: "evaluations of its own",
      remedy: "Set evaluations for the whole plan, or for a batch size.",
    });
  }
  return { iterations: evaluations, ...settings, evaluations };
}

/** `fedleak-plus:restarts=2` → `fedleak-plus-restarts-2`, for the name of a folder. */
function slug(label: string): string {
  const words = label.toLowerCase().match(/[a-z0-9]+/g);
  return words === null ? "attack" : words.join("-");
}
