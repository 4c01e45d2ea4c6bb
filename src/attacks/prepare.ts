import type { Column } from "../data/browser.ts";
import type { Observation } from "../fl/index.ts";
import { observationLedger, oneHot } from "../fl/index.ts";
import type { Mode, Model } from "../nn/index.ts";
import type { Device, ProgramStore } from "../runtime/index.ts";
import { float32 } from "../tensor/index.ts";
import { type Key, split } from "../util/index.ts";
import { prepareAnalytic } from "./analytic/index.ts";
import { evaluationsPerIteration } from "./budget.ts";
import { checkPlan } from "./check-plan.ts";
import { contrastHidden, STRETCHED } from "./contrast.ts";
import { settingsForColumns } from "./for-columns.ts";
import { assigned, labelLogits, mostProbable, spreadLogits } from "./labels/joint.ts";
import { chooseLabels } from "./labels/strategy.ts";
import { adaptationText, knownDefences } from "./objective/adaptive/index.ts";
import { usableLocalModel } from "./objective/local-choice.ts";
import { findsOrder, localModelText } from "./objective/local-model.ts";
import { gradientMatching, knownTensors } from "./objective/objective.ts";
import { checkColumns, parameterise } from "./parameterisation/index.ts";
import { finisher } from "./postprocess.ts";
import type { Preset } from "./preset.ts";
import type { Prior } from "./prior/types.ts";
import type { AttackRun, AttackState } from "./run.ts";
import { searchFor } from "./search/index.ts";
import type { AttackSettings } from "./settings.ts";

/** In the state once the search has ended by itself: it fell below `stopBelow`, or nothing is left to gain. */
const SETTLED = "settled";

export interface AttackPlan {
  /** The attacked architecture, as the server knows it. */
  readonly model: Model;
  readonly observation: Observation;
  readonly attack: Preset;
  readonly settings: AttackSettings;
  /** What the attacker learned from public images; needs the grant "public-data". */
  readonly prior?: Prior;
  /** Of a table's rows: a server knows them, as it knows what its model is fed with. Absent for images. */
  readonly columns?: readonly Column[] | undefined;
  /** How the attacker's BatchNorm normalises; as the client's when not given. */
  readonly mode?: Mode;
  /** Where all random draws come from. */
  readonly key: Key;
  readonly device?: Device;
  /** Processor threads; 0 lets the runtime choose. */
  readonly threads?: number;
  /** Where its programs are kept between processes; absent: nowhere. */
  readonly store?: ProgramStore | undefined;
}

/**
 * Compiles an attack on an observation. Weights and the observed update are baked into the program; everything that
 * changes travels in the AttackState, so a run may be stopped, stored and gone on with, bit for bit.
 *
 * Throws FedleakError when a capability the attack requires is not granted, or the observation is of another model.
 */
export async function prepareAttack(asked: AttackPlan): Promise<AttackRun> {
  const plan = asked.columns ? forColumns(asked, asked.columns) : asked;
  if (plan.settings.method !== "optimise") return prepareAnalytic(plan);
  const { model, observation, attack, key, prior, columns, device = "cpu", threads = 0, store } = plan;
  const { instead, ...imagined } = usableLocalModel(plan.settings, observation);
  const settings = { ...plan.settings, ...imagined };
  const { mode, batchSize } = checkPlan({ ...plan, settings });
  const shape = [batchSize, ...model.inputShape];
  const defences = knownDefences(attack.name, settings, observation);
  const strategy = await chooseLabels({
    model,
    observation,
    batchSize,
    settings,
    mode,
    key: split(key, "labels"),
    device,
    threads,
  });
  const ordering = findsOrder(settings, observation.local);
  const start = ordering ? spreadLogits : strategy.how === "joint" && labelLogits;
  const probabilities = oneHot(strategy.labels, model.classes);
  const options = {
    bake: { ...knownTensors({ ...observation.global, update: observation.update }), ...prior?.tensors },
    weights: Object.keys({ ...knownTensors({ ...observation.global, update: {} }), ...prior?.tensors }), // not the update
    device,
    threads,
    store,
  };
  const candidate = {
    parameterisation: parameterise(shape, settings, { prior, probabilities, columns }),
    objective: gradientMatching({
      ...{ model, mode, settings, defences },
      statistics: observation.statistics,
      local: observation.local,
    }),
    labels: start ? { logits: start(strategy.labels, model.classes) } : { fixed: probabilities },
    settings,
    options,
  };
  const search = await searchFor(candidate, shape);
  const hidden = await contrastHidden({
    ...{ model, mode, observation, settings },
    key: split(key, "contrast"),
    options: { device, threads },
  });
  const finish = finisher(settings, { shape, prior, options, columns, contrastHidden: hidden });
  const steps = split(key, "iterations");
  const around = ({ evaluations }: AttackState) => ({
    key: steps,
    left: settings.evaluations === 0 ? Number.POSITIVE_INFINITY : settings.evaluations - evaluations,
  });

  return {
    initial: { iteration: 0, evaluations: 0, tensors: search.initial(split(key, "variables")) },
    ledger: {
      ...observationLedger(observation),
      attack: attack.name,
      labels:
        ordering && strategy.how === "granted"
          ? "true labels (granted), of which each image finds its own"
          : strategy.about,
      labelRule: strategy.rule,
      ...(instead !== undefined && { localModelInstead: instead }),
      localModel: localModelText({ settings, local: observation.local }, instead),
      attackerBatchNorm:
        mode === "train" ? "by the candidate batch (train mode)" : "by the handed-out statistics (eval mode)",
      evaluationsPerIteration: `${evaluationsPerIteration(settings)}${settings.optimiser === "l-bfgs" ? " or more" : ""}`,
      ...(prior && { prior: prior.about }),
      ...(hidden && { contrast: STRETCHED }),
      ...(defences && { adaptive: adaptationText(model, defences, batchSize, settings) }),
    },
    step: async (state) => {
      const { tensors, evaluations, failure, settled, score, ...measured } = await search.step(state, around(state));
      if (failure !== undefined) {
        return { state, ...measured, failure: { kind: "not-finite", iteration: state.iteration, message: failure } };
      }
      const done = settled === true || (score ?? measured.loss) < settings.stopBelow;
      const next: AttackState = {
        iteration: state.iteration + 1,
        evaluations: state.evaluations + evaluations,
        tensors: done ? { ...tensors, [SETTLED]: float32([], [1]) } : tensors,
      };
      return { state: next, ...measured };
    },
    fits: ({ iteration, tensors: { [SETTLED]: _, ...tensors } }) => search.fits({ iteration, tensors }),
    finished: ({ iteration, evaluations, tensors }) =>
      iteration >= settings.iterations ||
      SETTLED in tensors ||
      (settings.evaluations > 0 && evaluations >= settings.evaluations),
    program: (state) => search.program(state, around(state)),
    reconstruct: async (state) => finish.images(await search.images(state)),
    probe: (state) => search.probe(state, around(state)),
    inferredLabels: (state) => {
      const logits = search.labelLogits(state);
      if (!logits) return strategy.labels;
      return strategy.how === "granted" ? assigned(logits, strategy.labels) : mostProbable(logits);
    },
    release: async () => {
      await Promise.all([search.release(), finish.release()]);
    },
  };
}

/** The plan with the settings that act on a table's rows, whose columns must be the model's input. */
function forColumns(plan: AttackPlan, columns: readonly Column[]): AttackPlan {
  const { name } = plan.attack;
  checkColumns(plan.model.inputShape, columns, `attack ${name}`);
  return { ...plan, settings: settingsForColumns(name, plan.settings) };
}
