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
  /** One step of training; the state given is left as it is, unless the caller says that it is spent, as its memory may then be taken. */
  advance(state: TrainingState, batch: Batch, learningRate: number, spent?: boolean): Promise<TrainingOutcome>;
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
  const program = await (plan.compile ?? compile)(trainingGraph(plan), { device, threads });
  return {
    advance: async (state, batch, learningRate, spent = false) => {
      checkBatch({ model, ...batch }, batchSize);
      const scalars = optimiser.scalars(state.steps + 1);
      const large = { ...prefixed(PARAM, state.weights.params), ...prefixed(MEMORY, state.memory) };
      const feeds = {
        [IMAGES]: batch.images,
        [TARGET]: oneHot(batch.labels, model.classes),
        [RATE]: float32([], [learningRate]),
        ...large,
        ...prefixed(BUFFER, state.weights.buffers),
        ...Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, float32([], [value])])),
      };
      const made = await program.run(feeds, { spent: spent ? Object.keys(large) : [] });
      const loss = scalarOf(made[LOSS]!);
      const weights = {
        params: withPrefix(NEXT + PARAM, made),
        buffers: { ...state.weights.buffers, ...withPrefix(NEXT + BUFFER, made) },
      };
      return {
        state: { weights, memory: withPrefix(NEXT + MEMORY, made), steps: state.steps + 1 },
        loss,
        correct: countCorrect(made[LOGITS]!, batch.labels),
        finite: Number.isFinite(loss) && Number.isFinite(scalarOf(made[NORM]!)),
      };
    },
    release: () => program.release(),
  };
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
