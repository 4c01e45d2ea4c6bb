import type { Model } from "../nn/index.ts";
import type { Transform } from "../optim/index.ts";
import type { Device, ProgramThreads } from "../runtime/index.ts";
import { sizeOf, type Tensors } from "../tensor/index.ts";
import type { Key } from "../util/index.ts";
import { batchOrder } from "./batch-order.ts";
import { clientGradientStep, type GradientStep } from "./client.ts";
import { type BatchPrograms, recentPrograms } from "./recent-programs.ts";
import { serverStep } from "./server-step.ts";
import { beginTraining, type TrainingState, trainingStep } from "./training-step.ts";
import type { Batch, ClientUpdate, Weights } from "./types.ts";

/** How every client of a federation works. */
export interface ClientPlan {
  readonly model: Model;
  readonly mode: "train" | "eval";
  readonly batchSize: number;
  /** Steps a round; null: as many as `localEpochs` make. */
  readonly localSteps: number | null;
  readonly localEpochs: number;
  readonly optimiser: Transform;
  readonly device: Device;
  readonly threads: number;
  /** Where their programs run, so that turns may overlap; absent: in this thread. */
  readonly beside?: ProgramThreads | undefined;
}

/** One client's turn in one round. */
export interface Turn {
  /** What it begins with. */
  readonly weights: Weights;
  /** M, the number of its images. */
  readonly count: number;
  /** Some of its images, by numbers in 0 … M − 1. */
  readonly take: (numbers: readonly number[]) => Promise<Batch>;
  readonly learningRate: number;
  readonly key: Key;
  /** How it computes a batch's gradient where a defence does it; absent: plainly. */
  readonly gradientOf?: LocalGradient;
}

/** What a client makes of a batch in its local step `number`, from 0. */
export type LocalGradient = (step: GradientStep, number: number) => Promise<ClientUpdate>;

/** What came of a client's turn. */
export interface TurnOutcome {
  /** The weights after local training; for a gradient, those it began with and the moved buffers. */
  readonly weights: Weights;
  /** Of the mean cross-entropy of its one batch; only from `gradient`. */
  readonly gradient?: Tensors<"float32">;
  /** Mean cross-entropy of its batches, each before its step. */
  readonly loss: number;
  /** Images of its batches that were classified rightly; not known from gradients that are computed apart. */
  readonly correct: number | undefined;
  readonly seen: number;
  readonly finite: boolean;
  /** The numbers of the images of each batch. */
  readonly batches: readonly (readonly number[])[];
}

/** The clients' side of a federation. Clients share the programs; a client has no state here. */
export interface Clients {
  /** FedAvg: local training, whose memory begins at zero in every round. Source: McMahan et al. 2017. */
  train(turn: Turn): Promise<TurnOutcome>;
  /** FedSGD: the gradient of one batch. */
  gradient(turn: Turn): Promise<TurnOutcome>;
  release(): Promise<void>;
}

/**
 * Clients that work by one plan; programs are compiled when a batch size first occurs.
 *
 * A client with fewer than B images uses all of them in each batch. The programs of the last few batch sizes are kept.
 */
export function clientsOf(plan: ClientPlan): Clients {
  const { model, mode, device, threads } = plan;
  const programs = recentPrograms(
    (batchSize, compile) =>
      trainingStep({ ...{ model, batchSize, mode, device, threads, compile }, optimiser: plan.optimiser }),
    plan.beside,
  );
  const begin = beginner(plan);
  const orderOf = ({ count, key }: Turn) => {
    const batchSize = Math.min(plan.batchSize, count);
    return { batchSize, order: batchOrder({ count, batchSize, key }) };
  };
  return {
    train: async (turn) => {
      const { batchSize, order } = orderOf(turn);
      const steps = plan.localSteps ?? plan.localEpochs * Math.floor(turn.count / batchSize);
      return programs.using(batchSize, async (own) => {
        const advance = await localSteps(plan, own, turn.gradientOf);
        const most = turn.gradientOf ? 1 : stepsAtOnce(model, batchSize);
        let state = begin(turn.weights);
        const batches: (readonly number[])[] = [];
        let [loss, finite] = [0, true];
        let correct: number | undefined = 0;
        while (batches.length < steps && finite) {
          const count = Math.min(most, steps - batches.length);
          const numbers = Array.from({ length: count }, (_, i) => order(batches.length + i));
          const taken = await Promise.all(numbers.map((some) => turn.take(some)));
          const made = await advance(state, taken, turn.learningRate, batches.length);
          state = made.state;
          for (const [i, step] of made.steps.entries()) {
            batches.push(numbers[i]!);
            finite = step.finite;
            loss += step.loss / steps;
            correct = correct === undefined || step.correct === undefined ? undefined : correct + step.correct;
          }
        }
        return { weights: state.weights, loss, correct, seen: batches.length * batchSize, finite, batches };
      });
    },
    gradient: async (turn) => {
      const { batchSize, order } = orderOf(turn);
      const numbers = order(0);
      const { weights } = turn;
      const images = await turn.take(numbers);
      const sent = await programs.using(batchSize, async ({ compile }) => {
        const step = { ...{ model, weights, mode, device, threads, compile }, ...images };
        return turn.gradientOf ? turn.gradientOf(step, 0) : clientGradientStep(step);
      });
      return {
        weights: { params: weights.params, buffers: sent.buffers },
        gradient: sent.update,
        ...{ loss: sent.loss, correct: undefined, seen: batchSize, finite: isSound(sent) },
        batches: [numbers],
      };
    },
    release: () => programs.release(),
  };
}

/** Local steps on some batches; the first of them is the client's step `number`, from 0. */
type LocalSteps = (
  state: TrainingState,
  batches: readonly Batch[],
  learningRate: number,
  number: number,
) => Promise<{
  readonly state: TrainingState;
  readonly steps: readonly { readonly loss: number; readonly correct?: number; readonly finite: boolean }[];
}>;

/** One program for all steps, or where a gradient is computed apart, that and the optimiser's program for one. */
async function localSteps(
  { model, mode, optimiser, device, threads }: ClientPlan,
  { compile, training }: BatchPrograms,
  gradientOf: LocalGradient | undefined,
): Promise<LocalSteps> {
  if (gradientOf === undefined) return (await training()).advanceAll;
  const program = await serverStep({ model, optimiser, device, threads, compile });
  return async (state, [batch], learningRate, number) => {
    const { weights } = state;
    const sent = await gradientOf({ model, weights, ...batch!, mode, device, threads, compile }, number);
    const { state: after, finite } = await program.advance(state, sent.update, learningRate);
    return {
      state: { ...after, weights: { ...after.weights, buffers: sent.buffers } },
      steps: [{ loss: sent.loss, finite: finite && isSound(sent) }],
    };
  };
}

/** `beginTraining`, whose memory of zeros all turns share. */
function beginner({ model, optimiser }: ClientPlan): (weights: Weights) => TrainingState {
  let zeros: TrainingState["memory"] | undefined;
  return (weights) => {
    zeros ??= beginTraining(model, optimiser, weights).memory;
    return { weights, memory: zeros, steps: 0 };
  };
}

/** How many batches are handed to a program at once, so that their images stay few. */
function stepsAtOnce({ inputShape }: Model, batchSize: number): number {
  return Math.max(1, Math.floor(HANDED_OVER / (batchSize * sizeOf(inputShape))));
}

const HANDED_OVER = 1 << 24; // numbers, 64 MiB; our choice

function isSound({ loss, update }: ClientUpdate): boolean {
  return Number.isFinite(loss) && Object.values(update).every((t) => t.data.every(Number.isFinite));
}
