import { CLOSED_FORMS, type ClosedForm, completeSettings, findAttack, whyNot } from "../attacks/index.ts";
import { affordableEvaluations } from "./auto-budget.ts";
import type { Watcher } from "./events.ts";
import { isProven, proofText, solveForm } from "./proof.ts";
import { FOR_TABLES, type RunSpec } from "./spec.ts";
import { compileAttack, prepareTrial, type Trial } from "./trial.ts";

/** The name that asks for a choice. */
export const AUTO = "auto";

/** The search that has rebuilt most on our own measurements. */
export const BEST = "fedleak-plus";

/** The same for a table's rows, which no generator makes. */
export const BEST_FOR_TABLES = FOR_TABLES.attack;

type Settings = RunSpec["attack"]["settings"];

/** What "auto" has decided, and what was said of each attack it looked at. */
export interface Choice {
  readonly name: string;
  readonly settings: Settings;
  readonly verdicts: { attack: string; verdict: string }[];
}

/**
 * The spec with "auto" resolved: the first closed form that explains the update, else the best search within the budget.
 *
 * The private images are not looked at. What was said of each attack is kept in the spec, so a resumed run needs no choice.
 * Throws FedleakError when the budget does not allow one step of the search.
 */
export async function chooseAttack(spec: RunSpec, budgetMs: number, watcher: Watcher = {}): Promise<RunSpec> {
  const began = performance.now();
  const left = () => budgetMs - (performance.now() - began);
  watcher.onEvent?.({ kind: "stage", text: "reading the data and computing the client's update, to choose an attack" });
  const best = spec.data.name === "table" ? BEST_FOR_TABLES : BEST;
  const trial = await prepareTrial({ ...spec, attack: { ...spec.attack, name: best } });
  await trial.programs.release();
  const { name, settings, verdicts } = await chooseFor(trial, spec.attack.settings, left, watcher);
  return { ...spec, attack: { ...spec.attack, name, settings, choice: { budgetMs, verdicts } } };
}

/**
 * The choice for what the server of a trial sees; `trial` is prepared for the search, `asked` are the user's settings of it.
 *
 * A closed form is taken when it applies and what it finds is proven (`isProven`); it has no use for settings of a search. Else a few steps of the search are timed, and what is `left` of the budget, in
 * milliseconds, sets its `evaluations`.
 */
export async function chooseFor(
  trial: Trial,
  asked: Settings,
  left: () => number,
  { onEvent, signal }: Watcher = {},
): Promise<Choice> {
  const verdicts: Choice["verdicts"] = [];
  for (const method of CLOSED_FORMS) {
    if (signal?.aborted) break;
    const reason = whyNot(method, trial.model, trial.observation);
    if (reason === undefined) onEvent?.({ kind: "stage", text: `trying the closed form ${method}` });
    const { taken, verdict } =
      reason === undefined ? await tried(trial, method) : { taken: false, verdict: `does not apply, ${reason}` };
    verdicts.push({ attack: method, verdict });
    if (taken) return { name: method, settings: {}, verdicts };
  }
  onEvent?.({ kind: "stage", text: `timing ${trial.preset.name}` });
  const { evaluations: fitting, msPerEvaluation } = await affordableEvaluations(trial, left, signal);
  const most = trial.settings.evaluations;
  const evaluations = most > 0 ? Math.min(most, fitting) : fitting;
  const pace = `${(msPerEvaluation / 1000).toPrecision(2)} s each`;
  verdicts.push({
    attack: trial.preset.name,
    verdict: `taken, as the best search, with up to ${evaluations} gradients (${pace})`,
  });
  return { name: trial.preset.name, settings: { ...asked, evaluations }, verdicts };
}

/** Runs a closed form on what the server of a trial sees, and judges it by what an attacker can know. */
async function tried(trial: Trial, method: ClosedForm): Promise<{ taken: boolean; verdict: string }> {
  const preset = findAttack(method);
  const attack = await compileAttack({ ...trial, preset, settings: completeSettings(preset) });
  try {
    const { threads } = trial.spec;
    const solved = await solveForm(attack, { ...trial, threads });
    const taken = isProven(solved);
    const result = `${solved.about} (${proofText(solved)})`;
    return { taken, verdict: taken ? `taken, ${result}` : `applies, but does not explain the update: ${result}` };
  } finally {
    await attack.release();
  }
}
