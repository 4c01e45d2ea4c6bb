import type { AttackSettings } from "../../../attacks/index.ts";
import { AUTO, BEST, BEST_FOR_TABLES } from "../../auto.ts";
import { proofText } from "../../proof.ts";
import type { CheckReport } from "../check.ts";
import { shareBudget } from "./budget.ts";
import { prepareClosedForm } from "./closed-form.ts";
import type { AuditRecord } from "./record.ts";
import type { AuditSpec } from "./spec.ts";
import { type AttackChoice, chosen, compileSearch, type Subject } from "./subject.ts";

/** What is attacked with, and what was said of each attack. */
export interface Plan extends AttackChoice {
  readonly verdicts: AuditRecord["plan"]["verdicts"];
}

/**
 * The attack of an audit: of "auto" the closed form that `check` found to solve the update, else the best search.
 *
 * A search without a number of evaluations gets its share of the budget. Nothing is chosen by the truth.
 */
export async function planAudit(
  subject: Subject,
  check: Pick<CheckReport, "closedForms">,
  left: () => number,
  going: () => boolean,
): Promise<Plan> {
  const { name, settings } = subject.spec.attack;
  if (name !== AUTO) return withinBudget(subject, chosen(name, settings), [], left, going);
  const verdicts = check.closedForms.map(({ method, outcome, proof, about }) => ({
    attack: method,
    verdict:
      outcome === "not"
        ? `does not apply, ${about}`
        : `${outcome === "solved" ? "taken" : "applies, but does not explain the update"}, ${about} (${proofText(proof!)})`,
  }));
  const solved = check.closedForms.find(({ outcome }) => outcome === "solved");
  if (solved) return { ...chosen(solved.method, {}), verdicts };
  return withinBudget(
    subject,
    chosen(subject.captured.table ? BEST_FOR_TABLES : BEST, settings),
    verdicts,
    left,
    going,
  );
}

/** Searches of a plan: the seeds and the control; a closed form needs neither. */
export function runsOf({ spec }: Pick<Subject, "spec">, { settings }: AttackChoice): number {
  return settings.method === "optimise" ? spec.seeds + 1 : 1;
}

/** The plan that a record holds, to go on with. */
export function planIn({ plan }: Pick<AuditRecord, "plan">): Plan {
  return { ...chosen(plan.attack, plan.settings), verdicts: plan.verdicts };
}

async function withinBudget(
  subject: Subject,
  choice: AttackChoice,
  verdicts: Plan["verdicts"],
  left: () => number,
  going: () => boolean,
): Promise<Plan> {
  const { preset, settings } = choice;
  const about = (verdict: string) => [...verdicts, { attack: preset.name, verdict }];
  if (settings.method !== "optimise") {
    await (await prepareClosedForm(subject, choice)).attack.release(); // where it does not apply nothing is written
    return { ...choice, verdicts: about("asked for by name") };
  }
  const asked = subject.spec.attack.name === AUTO ? "taken, as the best search" : "asked for by name";
  if (!hasBudget(subject.spec)) {
    await (await compileSearch(subject, choice, 0)).release(); // settings that cannot be compiled leave no folder behind
    return { ...choice, verdicts: about(asked) };
  }
  const allowed = await shareBudget(subject, choice, runsOf(subject, choice), left, going);
  const most = settings.evaluations;
  const evaluations = most > 0 ? Math.min(most, allowed.evaluations) : allowed.evaluations;
  const pace = `${(allowed.msPerEvaluation / 1000).toPrecision(2)} s each`;
  const given = { ...subject.spec.attack.settings, evaluations } satisfies AuditSpec["attack"]["settings"];
  return { ...chosen(preset.name, given), verdicts: about(`${asked}, with up to ${evaluations} gradients (${pace})`) };
}

function hasBudget({ budgetMs }: AuditSpec): boolean {
  return typeof budgetMs === "number";
}

/** All settings, as JSON. */
export function settingsJson(settings: AttackSettings): AuditRecord["plan"]["settings"] {
  return { ...settings };
}
