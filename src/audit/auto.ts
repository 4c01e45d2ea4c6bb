import { CLOSED_FORMS, type ClosedForm, completeSettings, findAttack, whyNot } from "../attacks/index.ts";
import { affordableEvaluations } from "./auto-budget.ts";
import type { Watcher } from "./events.ts";
import type { RunSpec } from "./spec.ts";
import { compileAttack, prepareTrial, type Trial } from "./trial.ts";

/** The name that asks for a choice. */
export const AUTO = "auto";

/** The search that has rebuilt most on our own measurements. */
export const BEST = "fedleak-release";

/** How sure a closed form must be: the cosine of its images' gradient to the update; our choice, noise gives about 0. */
const EXPLAINS = 0.99;

/**
 * The spec with "auto" resolved: the first closed form that explains the update, else the best search within the budget.
 *
 * A closed form is taken when it applies, finds all images, and their gradient has a cosine of 0.99 or more to the update.
 * For the search a few steps are timed; the budget, less what was spent, sets its `evaluations`. The private images are
 * not looked at. What was said of each attack is kept in the spec, so a resumed run needs no choice.
 * Throws FedleakError when the budget does not allow one step.
 */
export async function chooseAttack(
  spec: RunSpec,
  budgetMs: number,
  { onEvent, signal }: Watcher = {},
): Promise<RunSpec> {
  const began = performance.now();
  const left = () => budgetMs - (performance.now() - began);
  const named = (name: string, settings: RunSpec["attack"]["settings"]): RunSpec => ({
    ...spec,
    attack: { ...spec.attack, name, settings },
  });
  onEvent?.({ kind: "stage", text: "reading the data and computing the client's update, to choose an attack" });
  const trial = await prepareTrial(named(BEST, spec.attack.settings));
  await trial.programs.release();
  const verdicts: { attack: string; verdict: string }[] = [];
  const chosen = (name: string, settings: RunSpec["attack"]["settings"]) => {
    const found = named(name, settings);
    return { ...found, attack: { ...found.attack, choice: { budgetMs, verdicts } } };
  };

  for (const method of CLOSED_FORMS) {
    if (signal?.aborted) break;
    const reason = whyNot(method, trial.model, trial.observation);
    if (reason === undefined) onEvent?.({ kind: "stage", text: `trying the closed form ${method}` });
    const { taken, verdict } =
      reason === undefined ? await tried(trial, method) : { taken: false, verdict: `does not apply, ${reason}` };
    verdicts.push({ attack: method, verdict });
    if (taken) return chosen(method, {});
  }

  onEvent?.({ kind: "stage", text: `timing ${BEST}` });
  const { evaluations: fitting, msPerEvaluation } = await affordableEvaluations(trial, left, signal);
  const asked = trial.settings.evaluations;
  const evaluations = asked > 0 ? Math.min(asked, fitting) : fitting;
  const pace = `${(msPerEvaluation / 1000).toPrecision(2)} s each`;
  verdicts.push({ attack: BEST, verdict: `taken, as the best search, with up to ${evaluations} gradients (${pace})` });
  return chosen(BEST, { ...spec.attack.settings, evaluations });
}

/** Runs a closed form on what the server of a trial sees, and judges it by what an attacker can know. */
async function tried(trial: Trial, method: ClosedForm): Promise<{ taken: boolean; verdict: string }> {
  const preset = findAttack(method);
  const attack = await compileAttack({ ...trial, preset, settings: completeSettings(preset) });
  try {
    const { state, cosine } = await attack.step(attack.initial);
    const { complete, about } = attack.solution!(state);
    const taken = complete && cosine >= EXPLAINS;
    const result = `${about} (cosine ${cosine.toFixed(4)} to the update)`;
    return { taken, verdict: taken ? `taken, ${result}` : `applies, but does not explain the update: ${result}` };
  } finally {
    await attack.release();
  }
}
