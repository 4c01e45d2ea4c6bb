import { type Observation, observationLedger, oneHot } from "../fl/index.ts";
import { constant, grad, input, softmax, stopGradient } from "../graph/index.ts";
import type { Mode, Model } from "../nn/index.ts";
import { type Nodes, zeroState } from "../optim/index.ts";
import { type CompileOptions, compile, type Device, type Program } from "../runtime/index.ts";
import { float32, scalarOf, type Tensors } from "../tensor/index.ts";
import { type Key, split } from "../util/index.ts";
import { checkPlan } from "./check-plan.ts";
import { judge } from "./judge.ts";
import { labelLogits, mostProbable } from "./labels/joint.ts";
import { chooseLabels } from "./labels/strategy.ts";
import { gradientMatching, knownTensors } from "./objective/objective.ts";
import { optimiserOf, scheduleOf } from "./optimiser.ts";
import { parameterise } from "./parameterisation/index.ts";
import { finish } from "./postprocess.ts";
import type { Preset } from "./preset.ts";
import type { AttackRun, AttackState } from "./run.ts";
import type { AttackSettings } from "./settings.ts";
import { buildStep, LABELS, LEARNING_RATE, labelTransform } from "./step.ts";

export interface AttackPlan {
  /** The attacked architecture, as the server knows it. */
  readonly model: Model;
  readonly observation: Observation;
  readonly attack: Preset;
  readonly settings: AttackSettings;
  /** How the attacker's BatchNorm normalises; as the client's when not given. */
  readonly mode?: Mode;
  /** Where all random draws come from. */
  readonly key: Key;
  readonly device?: Device;
  /** Processor threads; 0 lets the runtime choose. */
  readonly threads?: number;
}

/**
 * Compiles an attack on an observation. Weights and the observed update are baked into the program; everything that
 * changes travels in the AttackState, so a run may be stopped, stored and gone on with, bit for bit.
 *
 * Throws FedleakError when a capability the attack requires is not granted, or the observation is of another model.
 */
export async function prepareAttack(plan: AttackPlan): Promise<AttackRun> {
  const { model, observation, attack, settings, key } = plan;
  const { mode, batchSize } = checkPlan(plan);
  const parameterisation = parameterise([batchSize, ...model.inputShape], settings);
  const objective = gradientMatching(model, mode, settings);
  const transform = optimiserOf(settings);
  const schedule = scheduleOf(settings);
  const strategy = chooseLabels(model, observation, batchSize, settings);
  const joint = strategy.how === "joint";
  const logits = labelLogits(strategy.labels, model.classes);
  const fixed = oneHot(strategy.labels, model.classes);
  const tensors: Tensors<"float32"> = {
    ...parameterisation.initial(split(key, "variables")),
    ...zeroState(transform, parameterisation.variables),
    ...(joint && { [LABELS]: logits, ...zeroState(labelTransform, { [LABELS]: logits.shape }) }),
  };
  const options: CompileOptions = {
    bake: knownTensors({ ...observation.global, update: observation.update }),
    device: plan.device ?? "cpu",
    threads: plan.threads ?? 0,
  };
  const labels = joint ? { logits: logits.shape } : { fixed };
  const graph = buildStep({ parameterisation, objective, labels, transform, settings });
  const program = await compile(graph.outputs, options);

  const places: Nodes = Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, input(name, t.shape)]));
  const decoder = lazily(() => compile({ images: parameterisation.decode(places).images }, options));
  const prober = lazily(() => {
    const images = stopGradient(parameterisation.decode(places).images);
    const { loss, cosine } = objective(images, joint ? softmax(places[LABELS]!) : constant(fixed));
    return compile({ images, gradient: grad(loss, [images])[0]!, loss, cosine }, options);
  });

  const feedsAt = ({ iteration, tensors: now }: AttackState) => {
    const t = iteration + 1;
    const rate = settings.learningRate * schedule(iteration);
    const scalars = { ...transform.scalars(t), ...labelTransform.scalars(t), [LEARNING_RATE]: rate };
    return { ...now, ...asTensors(scalars) };
  };

  return {
    initial: { iteration: 0, evaluations: 0, tensors },
    ledger: {
      ...observationLedger(observation),
      attack: attack.name,
      labels: strategy.about,
      attackerBatchNorm:
        mode === "train" ? "by the candidate batch (train mode)" : "by the handed-out statistics (eval mode)",
      evaluationsPerIteration: `${graph.evaluations}`,
    },
    program: (state) => ({ outputs: graph.outputs, options, feeds: feedsAt(state) }),
    step: async (state) => {
      const results = await program.run(feedsAt(state));
      return judge(state, results, {
        evaluations: graph.evaluations,
        variables: Object.keys(parameterisation.variables),
      });
    },
    reconstruct: async ({ tensors: now }) => {
      const { imagesIn } = parameterisation; // the variable itself, when pixels are optimised
      const images = imagesIn ? now[imagesIn]! : (await (await decoder.get()).run(now)).images!;
      return finish(images, settings);
    },
    probe: async (state) => {
      const { images, gradient, loss, cosine } = await (await prober.get()).run(state.tensors);
      return { images: images!, gradient: gradient!, loss: scalarOf(loss!), cosine: scalarOf(cosine!) };
    },
    inferredLabels: (state) => (joint ? mostProbable(state.tensors[LABELS]!) : strategy.labels),
    release: async () => {
      await Promise.all([program.release(), decoder.release(), prober.release()]);
    },
  };
}

function asTensors(numbers: Readonly<Record<string, number>>): Tensors<"float32"> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, float32([], [value])]));
}

/** A program that is compiled when first asked for, and released if it ever was. */
function lazily(make: () => Promise<Program>): { get(): Promise<Program>; release(): Promise<void> } {
  let made: Promise<Program> | undefined;
  return {
    get: () => {
      made ??= make();
      return made;
    },
    release: async () => (await made)?.release(),
  };
}
