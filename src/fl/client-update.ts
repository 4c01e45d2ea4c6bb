import { sgd } from "../optim/index.ts";
import { float32, type Tensor, type Tensors } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { checkBatch } from "./check-batch.ts";
import { clientGradientStep, type GradientStep } from "./client.ts";
import { batchNormCounts, statisticsSeen } from "./running-statistics.ts";
import { beginTraining, trainingStep } from "./training-step.ts";
import type { Batch, ClientUpdate, LocalSchedule, Weights } from "./types.ts";

/**
 * What a client sends of one round: the gradient of its batch or, with a local schedule, what S steps of SGD came to.
 *
 * w_s = w_{s−1} − η·∂/∂w (1/B) Σ_b CE(F(x_b; w_{s−1}), y_b) over batch s = 1 … S; update = (w_0 − w_S)/(η·S), the mean of the
 * steps' gradients, as well as weights in float32 tell it. In train mode each batch normalises by itself and moves the
 * running statistics.
 * images: [S·B,C,H,W], the batches one after the other. Throws FedleakError when S does not divide their number or the
 * weights do not stay finite. Source: McMahan et al., AISTATS 2017; the estimate is METHODS 1.8's.
 */
export async function clientUpdate(step: GradientStep): Promise<ClientUpdate> {
  const { model, weights, images, labels, mode, device = "cpu", threads = 0, compile, local } = step;
  if (local === undefined || local.steps === 1) return clientGradientStep(step);
  checkBatch({ model, images, labels });
  const batchSize = imagesPerStep(labels.length, local);
  const optimiser = sgd();
  const program = await trainingStep({
    ...{ model, batchSize, mode, optimiser, device, threads },
    ...(compile && { compile }),
  });
  try {
    let state = beginTraining(model, optimiser, weights);
    let loss = 0;
    for (let s = 0; s < local.steps; s++) {
      const made = await program.advance(state, batchAt({ images, labels }, s, batchSize), local.learningRate);
      if (!made.finite) diverged(s, local);
      state = made.state;
      loss += made.loss / local.steps;
    }
    const { params, buffers } = state.weights;
    const counts = mode === "train" ? batchNormCounts(model, batchSize) : {};
    return {
      modelName: model.name,
      mode,
      global: weights,
      update: meanGradient(weights.params, params, local),
      batchSize: labels.length,
      local,
      labels: [...labels],
      statistics: statisticsSeen(weights.buffers, buffers, counts, local.steps),
      buffers,
      loss,
    };
  } finally {
    await program.release();
  }
}

/** (w_old − w_new)/(η·S) */
function meanGradient(
  before: Weights["params"],
  after: Weights["params"],
  { steps, learningRate }: LocalSchedule,
): Tensors<"float32"> {
  const moved = ({ shape, data }: Tensor<"float32">, end: Float32Array) =>
    float32(
      shape,
      data.map((w, i) => (w - end[i]!) / (learningRate * steps)),
    );
  return Object.fromEntries(Object.entries(before).map(([name, t]) => [name, moved(t, after[name]!.data)]));
}

function batchAt({ images, labels }: Batch, step: number, batchSize: number): Batch {
  const size = images.data.length / labels.length;
  const [from, to] = [step * batchSize, (step + 1) * batchSize];
  return {
    images: float32([batchSize, ...images.shape.slice(1)], images.data.slice(from * size, to * size)),
    labels: labels.slice(from, to),
  };
}

function imagesPerStep(images: number, { steps, learningRate }: LocalSchedule): number {
  if (!Number.isInteger(steps) || images % steps !== 0 || !(learningRate > 0)) {
    fail({
      who: "client",
      must: `${images} images must be shared evenly among the local steps, at a learning rate above 0`,
      got: `${steps} steps at ${learningRate}`,
      remedy: "Take as many images as steps times images a step (and times clients, where several share them).",
    });
  }
  return images / steps;
}

function diverged(step: number, { steps, learningRate }: LocalSchedule): never {
  return fail({
    who: "client",
    must: "loss and weights must stay finite during local training",
    got: `NaN or infinity in step ${step + 1} of ${steps}`,
    remedy: `Lower the local learning rate (${learningRate}), or check the weights.`,
  });
}
