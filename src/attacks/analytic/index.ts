import type { Column } from "../../data/browser.ts";
import { type Observation, observationLedger, oneHot } from "../../fl/index.ts";
import { grad, input } from "../../graph/index.ts";
import type { Mode, Model } from "../../nn/index.ts";
import { compile, type Device } from "../../runtime/index.ts";
import { type Shape, scalarOf, type Tensor, type Tensors } from "../../tensor/index.ts";
import { checkPlan } from "../check-plan.ts";
import { mostProbable } from "../labels/joint.ts";
import { gradientMatching, knownTensors } from "../objective/objective.ts";
import { finisher } from "../postprocess.ts";
import type { Preset } from "../preset.ts";
import type { Prior } from "../prior/types.ts";
import type { AttackRun, AttackState } from "../run.ts";
import type { AttackSettings } from "../settings.ts";
import { grey } from "./grey.ts";
import { firstLabels, labelsOfImages } from "./image-labels.ts";
import { solverOf } from "./solve.ts";
import type { ClosedForm } from "./why-not.ts";

export { CLOSED_FORMS, type ClosedForm, whyNot } from "./why-not.ts";

/** What a closed form works on: the part of an AttackPlan that it needs. */
export interface AnalyticPlan {
  readonly model: Model;
  readonly observation: Observation;
  readonly attack: Preset;
  /** With `method` a closed form. */
  readonly settings: AttackSettings;
  readonly prior?: Prior;
  /** Of a table's rows; absent for images. */
  readonly columns?: readonly Column[] | undefined;
  readonly mode?: Mode;
  readonly device?: Device;
  readonly threads?: number;
}

/**
 * A closed-form attack as a run of one iteration, which solves for the images and then computes their gradient once.
 *
 * Loss ‖g′ − ĝ‖² and cosine tell how well the images explain the update: what an attacker can know of the result.
 * Throws FedleakError, with the reason, where the closed form does not apply.
 * Differs from a search: the step's numbers belong to the images it found, not to the grey ones it came from.
 */
export async function prepareAnalytic(plan: AnalyticPlan): Promise<AttackRun> {
  const { model, observation, attack, settings, prior, columns, device = "cpu", threads = 0 } = plan;
  const { mode, batchSize } = checkPlan(plan);
  const shape = [batchSize, ...model.inputShape];
  const solved = once(solverOf(settings.method as ClosedForm, model, observation, shape));
  const first = firstLabels(model, observation, batchSize);
  const options = {
    bake: { ...knownTensors({ ...observation.global, update: observation.update }), ...prior?.tensors },
    device,
    threads,
  };
  const outputs = gradientCheck(plan, mode, shape);
  const check = await compile(outputs, options);
  const finish = finisher(settings, { shape, prior, options, columns, contrastHidden: false });
  const checked = async ({ tensors }: AttackState) => {
    const { gradient, loss, cosine } = await check.run(tensors);
    return { images: tensors[IMAGES]!, gradient: gradient!, loss: scalarOf(loss!), cosine: scalarOf(cosine!) };
  };

  return {
    initial: { iteration: 0, evaluations: 0, tensors: stateOf(grey(shape), oneHot(first.labels, model.classes)) },
    ledger: {
      ...observationLedger(observation),
      attack: attack.name,
      labels: first.about,
      attackerBatchNorm:
        mode === "train" ? "by the images it found (train mode)" : "by the handed-out statistics (eval mode)",
      evaluationsPerIteration: "1",
      ...(prior && { prior: prior.about }),
    },
    step: async ({ evaluations }) => {
      const { images, found } = solved.get();
      const known = found === batchSize && batchSize > 1;
      const labels = known ? await labelsOfImages(images, { model, mode, observation, device, threads }) : first.labels;
      const tensors = stateOf(images, oneHot(labels, model.classes));
      const state = { iteration: 1, evaluations: evaluations + 1, tensors };
      const { loss, cosine, gradient } = await checked(state);
      const gradientNorm = Math.sqrt(gradient.data.reduce((sum, v) => sum + v * v, 0));
      return { state, loss, cosine, gradientNorm };
    },
    fits: ({ tensors }) => Object.keys(tensors).sort().join() === [IMAGES, LABELS].sort().join(),
    finished: ({ iteration }) => iteration >= 1,
    program: ({ tensors }) => ({ outputs, options, feeds: tensors }),
    reconstruct: ({ tensors }) => finish.images(tensors[IMAGES]!),
    probe: checked,
    inferredLabels: ({ tensors }) => mostProbable(tensors[LABELS]!),
    solution: ({ iteration }) => {
      if (iteration === 0) return { complete: false, relativeResidual: Number.NaN, about: "not solved yet" };
      const { found, relativeResidual, about } = solved.get();
      return { complete: found === batchSize, relativeResidual, about };
    },
    release: async () => {
      await Promise.all([check.release(), finish.release()]);
    },
  };
}

/** ‖g′ − ĝ‖² and nothing else, whatever the user has set for a search. */
const PLAIN_DISTANCE = {
  l1Weight: 0,
  cosineWeight: 0,
  l2Weight: 1,
  maskRatio: 1,
  tv: 0,
  l2Prior: 0,
  bnPrior: 0,
  activationPenalty: 0,
  groupConsistency: 0,
} as const;

// The state's tensors, which the check is fed: images [B,C,H,W] and one-hot labels [B,N].
const [IMAGES, LABELS] = ["images", "labels"] as const;

/** The value of a pure function that takes long, computed when first asked for. */
function once<T>(compute: () => T): { get(): T } {
  let made: { readonly value: T } | undefined;
  return {
    get: () => {
      made ??= { value: compute() };
      return made.value;
    },
  };
}

function stateOf(images: Tensor<"float32">, labels: Tensor<"float32">): Tensors<"float32"> {
  return { [IMAGES]: images, [LABELS]: labels };
}

/** ‖g′ − ĝ‖² of images and labels, cos(g′, ĝ), and the former's gradient by the images. */
function gradientCheck({ model, settings }: AnalyticPlan, mode: Mode, shape: Shape) {
  const plain = { ...settings, ...PLAIN_DISTANCE };
  const objective = gradientMatching({ model, mode, settings: plain, statistics: undefined });
  const x = input(IMAGES, shape);
  const { loss, cosine } = objective(x, input(LABELS, [shape[0]!, model.classes]));
  return { loss, cosine, gradient: grad(loss, [x])[0]! };
}
