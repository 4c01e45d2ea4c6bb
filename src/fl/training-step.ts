import { crossEntropy, grad, input, type Node } from "../graph/index.ts";
import { inputsFor, type Mode, type Model } from "../nn/index.ts";
import { descend, globalNorm, scalarInputs, type Transform, zeroState } from "../optim/index.ts";
import { type Compile, compile, type Device } from "../runtime/index.ts";
import { float32, scalarOf, type Tensors } from "../tensor/index.ts";
import { checkBatch } from "./check-batch.ts";
import { oneHot } from "./client.ts";
import { countCorrect } from "./evaluate.ts";
import { prefixed, withPrefix } from "./prefix.ts";
import { movedStatisticNodes } from "./running-statistics.ts";
import type { Batch, Weights } from "./types.ts";

export interface TrainingPlan {
  readonly model: Model;
  /** B; a program is compiled for one batch size. */
  readonly batchSize: number;
  readonly mode: Mode;
  readonly optimiser: Transform;
  readonly device?: Device;
  readonly threads?: number;
  /** How the step is compiled; a cache's `compile` lets clients share the program. */
  readonly compile?: Compile;
}

/** Everything that changes while a model is trained. */
export interface TrainingState {
  readonly weights: Weights;
  /** The optimiser's, by `${slot}.${parameter}`. */
  readonly memory: Tensors<"float32">;
  /** Steps done since the memory was zero. */
  readonly steps: number;
}

/** What one step came to. */
export interface TrainingOutcome {
  readonly state: TrainingState;
  /** Mean cross-entropy of the batch before the step. */
  readonly loss: number;
  /** How many images of the batch were classified rightly before the step. */
  readonly correct: number;
  /** Whether loss, parameters and buffers after the step are all finite; if not, the state is of no use. */
  readonly finite: boolean;
}

export interface TrainingProgram {
  /** One step of training; the state given is left as it is. */
  advance(state: TrainingState, batch: Batch, learningRate: number): Promise<TrainingOutcome>;
  /** A step on each batch, at least one, up to the first that is not finite: the state after the last, and what is told of each. */
  advanceAll(
    state: TrainingState,
    batches: readonly Batch[],
    learningRate: number,
  ): Promise<{ readonly state: TrainingState; readonly steps: readonly Omit<TrainingOutcome, "state">[] }>;
  release(): Promise<void>;
}

/**
 * One step of training as one program: forward, backward, the optimiser, and BatchNorm's running statistics.
 *
 * w ← w − learningRate · transform(∂/∂w (1/B) Σ_b CE(F(x_b; w), y_b)); in train mode BatchNorm normalises by the batch and
 * moves its running statistics by PyTorch's rule. Weights and memory are fed, so any number of models share a program.
 * `advance` throws FedleakError when the batch does not fit the model or the program.
 */
export async function trainingStep(plan: TrainingPlan): Promise<TrainingProgram> {
  const { model, batchSize, optimiser, device = "cpu", threads = 0 } = plan;
  const graph = trainingGraph(plan);
  const program = await (plan.compile ?? compile)(graph, { device, threads });
  const moved = Object.keys(graph).filter((name) => name.startsWith(NEXT));
  const back = Object.fromEntries(moved.map((name) => [name, name.slice(NEXT.length)]));
  const advanceAll: TrainingProgram["advanceAll"] = async (state, batches, learningRate) => {
    for (const batch of batches) checkBatch({ model, ...batch }, batchSize);
    const { weights, memory, steps: before } = state;
    const own = batches.map(({ images, labels }, i) => ({
      [IMAGES]: images,
      [TARGET]: oneHot(labels, model.classes),
      ...scalarFeeds(optimiser.scalars(before + i + 1)),
    }));
    const feeds = {
      ...scalarFeeds({ [RATE]: learningRate }),
      ...prefixed(PARAM, weights.params),
      ...prefixed(BUFFER, weights.buffers),
      ...prefixed(MEMORY, memory),
    };
    const { each, last } = await program.repeat(feeds, own, back, [LOSS, NORM]);
    const buffers = { ...weights.buffers, ...withPrefix(NEXT + BUFFER, last) };
    return {
      state: {
        weights: { params: withPrefix(NEXT + PARAM, last), buffers },
        memory: withPrefix(NEXT + MEMORY, last),
        steps: before + each.length,
      },
      steps: each.map((made, i) => {
        const loss = scalarOf(made[LOSS]!);
        const finite = Number.isFinite(loss) && Number.isFinite(scalarOf(made[NORM]!));
        return { loss, correct: countCorrect(made[LOGITS]!, batches[i]!.labels), finite };
      }),
    };
  };
  return {
    advance: async (state, batch, learningRate) => {
      const { state: after, steps } = await advanceAll(state, [batch], learningRate);
      return { ...steps[0]!, state: after };
    },
    advanceAll,
    release: () => program.release(),
  };
}

function scalarFeeds(scalars: Readonly<Record<string, number>>): Tensors<"float32"> {
  return Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, float32([], [value])]));
}

/** The state before the first step: the weights, and the optimiser's memory at zero. */
export function beginTraining(model: Model, optimiser: Transform, weights: Weights): TrainingState {
  const shapes = Object.fromEntries(model.params.map(({ name, shape }) => [name, shape]));
  return { weights, memory: zeroState(optimiser, shapes), steps: 0 };
}

// Names of the program's inputs and outputs.
const [IMAGES, TARGET, RATE] = ["images", "target", "learning-rate"] as const;
const [PARAM, BUFFER, MEMORY] = ["param.", "buffer.", "memory."] as const;
const [LOSS, LOGITS, NORM, NEXT] = ["loss", "logits", "norm", "next."] as const;

function trainingGraph({ model, batchSize, mode, optimiser }: TrainingPlan): Record<string, Node> {
  const params = inputsFor(model.params, PARAM);
  const buffers = inputsFor(model.buffers, BUFFER);
  const { logits, statistics } = model.forward({
    params,
    buffers,
    x: input(IMAGES, [batchSize, ...model.inputShape]),
    mode,
  });
  const loss = crossEntropy(logits, input(TARGET, [batchSize, model.classes]));
  const names = Object.keys(params);
  const gradients = grad(loss, Object.values(params));
  const slots = optimiser.slots.flatMap((slot) =>
    model.params.map(({ name, shape }) => ({ name: `${slot}.${name}`, shape })),
  );
  const after = descend({
    transform: optimiser,
    variables: params,
    gradients: Object.fromEntries(names.map((name, i) => [name, gradients[i]!])),
    state: inputsFor(slots, MEMORY),
    scalars: scalarInputs(optimiser),
    learningRate: input(RATE, []),
  });
  const moved = mode === "train" ? movedStatisticNodes(buffers, statistics) : {};
  const renamed = (prefix: string, nodes: Readonly<Record<string, Node>>) =>
    Object.fromEntries(Object.entries(nodes).map(([name, node]) => [prefix + name, node]));
  return {
    [LOSS]: loss,
    [LOGITS]: logits,
    [NORM]: globalNorm({ ...renamed(PARAM, after.variables), ...renamed(BUFFER, moved) }),
    ...renamed(NEXT + PARAM, after.variables),
    ...renamed(NEXT + BUFFER, moved),
    ...renamed(NEXT + MEMORY, after.state),
  };
}
