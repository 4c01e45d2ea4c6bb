import type { AttackRun, AttackSettings, AttackState } from "../../attacks/index.ts";
import { clientGradientStep } from "../../fl/index.ts";
import { fail } from "../../util/index.ts";
import { compileAttack, type Trial } from "../trial.ts";
import { gradientDistances } from "./distances.ts";
import type { ConvergencePart, VariantTrace } from "./schema.ts";
import type { Outcome, Task } from "./task.ts";
import { traceConvergence } from "./trace.ts";
import { stepsAlone, type Variant, variantsOf } from "./variants.ts";

export type FoundConvergence = Outcome & Pick<ConvergencePart, "iterations" | "every" | "notes" | "variants">;

/**
 * μ, L and μ/L along runs of the attack with partial matching and gradient regularisation each on and off.
 *
 * All start from the same state and see the same observation. A variant that diverges ends with its failure; the others go on.
 * done: variants that an earlier, interrupted go has finished, kept as they are; keep: is given what there is after each one.
 * Source: FedLeak, Section 3 and Figures 1c, 1d.
 */
export async function measureConvergence(
  task: Task,
  done: readonly VariantTrace[],
  keep: (found: FoundConvergence) => Promise<void>,
): Promise<FoundConvergence> {
  const { trial, options } = task;
  const { iterations, method } = trial.settings;
  if (method !== "optimise") {
    fail({
      who: `convergence of ${trial.preset.name}`,
      must: "the attack must search for the images step by step",
      got: `method ${method}, which solves for them`,
      remedy: "Pass --only with the other parts, or choose another attack.",
    });
  }
  const every = Math.max(1, Math.ceil(iterations / (options.probes - 1)));
  const variants = variantsOf(trial.settings);
  const traces: VariantTrace[] = [];
  const found = (): FoundConvergence => {
    const whole = traces.length === variants.length && traces.every(({ status }) => status !== "interrupted");
    const status = whole ? "finished" : "interrupted";
    return { status, iterations, every, notes: notesOn(trial.settings), variants: traces };
  };
  for (const [i, variant] of variants.entries()) {
    const kept = done.find(({ name, status }) => name === variant.name && status !== "interrupted");
    if (!kept && task.stopped()) break;
    traces.push(kept ?? (await traceOf(variant, task, { every, before: i, of: variants.length })));
    await keep(found());
  }
  return found();
}

async function traceOf(
  { name, settings, asSet }: Variant,
  { trial, tick, stage, stopped }: Task,
  { every, before, of }: { readonly every: number; readonly before: number; readonly of: number },
): Promise<VariantTrace> {
  stage(`compiling the attack with ${WORDS[name]}`);
  const quiet = settings.gamma === 0 ? {} : { gamma: 0, langevin: 0 }; // a trial step of the look-ahead has no noise
  const plain = await compileAttack({ ...trial, settings: { ...settings, ...quiet } });
  try {
    const run = settings.gamma === 0 ? plain : await compileAttack({ ...trial, settings });
    try {
      const { maskRatio, maskScope, gamma, lookahead, iterations } = settings;
      const { last, ...trace } = await traceConvergence({
        run,
        plain,
        settings,
        truth: trial.truth.images,
        every,
        onIteration: (iteration) => tick(before * iterations + iteration, of * iterations),
        stopped,
      });
      return {
        name,
        maskRatio,
        maskScope,
        gamma,
        lookahead,
        asSet,
        ...trace,
        end: trace.status === "finished" ? await endOf(run, last, trial) : null,
      };
    } finally {
      if (run !== plain) await run.release();
    }
  } finally {
    await plain.release();
  }
}

/** How far the gradient of the last images is from the observed update, all entries matched. */
async function endOf(run: AttackRun, last: AttackState, trial: Trial): Promise<VariantTrace["end"]> {
  const [images, labels] = [await run.reconstruct(last), run.inferredLabels(last)];
  const { model, weights, device, spec, observation } = trial;
  if (labels.length !== images.shape[0] || !images.data.every(Number.isFinite)) return null;
  const step = { model, weights, images, labels, mode: spec.client.batchNorm, device, threads: spec.threads };
  const { update } = await clientGradientStep(step);
  const found = gradientDistances(update, observation.update, 1);
  return Object.values(found).every(Number.isFinite) ? found : null;
}

const WORDS: Readonly<Record<VariantTrace["name"], string>> = {
  neither: "neither technique",
  "partial-matching": "partial matching alone",
  regularisation: "gradient regularisation alone",
  both: "both techniques",
};

/** What the numbers assume beside the formulas. */
function notesOn(settings: AttackSettings): string[] {
  const { optimiser, signed, parameterisation } = settings;
  const alone = stepsAlone(settings);
  const rule = `${signed && !alone ? "the sign of the gradient through " : ""}${optimiser}`;
  return [
    "x is the private batch. It is known here, to the audit, and was never given to the attack.",
    "Reconstructions are paired with private images one-to-one, anew at each point, before the difference is taken.",
    "D is the gradient of the whole objective, priors such as total variation included, by the images.",
    `The bound 2μ/L holds for plain steps along −D. This attack moves by ${rule}, so that its steps are not bounded by it.`,
    ...(alone ? [`Gradient regularisation has no effect with ${optimiser}, so there are two runs.`] : []),
    ...(parameterisation === "pixels"
      ? []
      : [`What is optimised is not the images (parameterisation ${parameterisation}): D is by the images they make.`]),
  ];
}
