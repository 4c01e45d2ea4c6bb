import { crossEntropy, grad, input, type Node } from "../graph/index.ts";
import { inputsFor, type Mode, type Model } from "../nn/index.ts";
import { type Compile, compile, type Device } from "../runtime/index.ts";
import { float32, scalarOf, type Tensor } from "../tensor/index.ts";
import { checkBatch } from "./check-batch.ts";
import { prefixed } from "./prefix.ts";
import { movedStatistics } from "./running-statistics.ts";
import type { ClientUpdate, LocalSchedule, Weights } from "./types.ts";

export interface GradientStep {
  readonly model: Model;
  /** What the server handed out. */
  readonly weights: Weights;
  /** [B,C,H,W] in [0,1] */
  readonly images: Tensor<"float32">;
  /** B class indices. */
  readonly labels: readonly number[];
  readonly mode: Mode;
  readonly device?: Device;
  readonly threads?: number;
  /** Local training of more than one step, which only `clientUpdate` does; absent: one gradient. */
  readonly local?: LocalSchedule;
  /** How the gradient's graph is compiled; a cache's `compile` lets batches of one size share the program. */
  readonly compile?: Compile;
}

/**
 * One local step of a client: the gradient of the mean cross-entropy of its batch by every parameter.
 *
 * update_p = ∂/∂p (1/B) Σ_b CE(F(x_b; w), y_b); in train mode BatchNorm normalises by the batch, its statistics are
 * returned and the running ones are moved by PyTorch's rule.
 * Throws FedleakError when labels and images do not fit the model. Source: FedLeak, Equation 1 with one local step.
 */
export async function clientGradientStep(step: GradientStep): Promise<ClientUpdate> {
  const { model, weights, images, labels, mode, device = "cpu", threads = 0 } = step;
  const compileOnce = step.compile ?? compile;
  checkBatch(step);
  const { outputs, counts } = gradientGraph(model, images.shape[0]!, mode);
  const program = await compileOnce(outputs, { device, threads });
  try {
    const result = await program.run({
      [IMAGES]: images,
      [TARGET]: oneHot(labels, model.classes),
      ...prefixed(PARAM, weights.params),
      ...prefixed(BUFFER, weights.buffers),
    });
    const statistics = Object.fromEntries(
      Object.keys(counts).map((name) => [name, { mean: result[MEAN + name]!, variance: result[VARIANCE + name]! }]),
    );
    return {
      modelName: model.name,
      mode,
      global: weights,
      update: Object.fromEntries(model.params.map(({ name }) => [name, result[GRADIENT + name]!])),
      batchSize: labels.length,
      labels: [...labels],
      statistics,
      buffers: movedStatistics(weights.buffers, statistics, counts),
      loss: scalarOf(result[LOSS]!),
    };
  } finally {
    await program.release();
  }
}

/** Rows of zeros with a one at each label: B labels in 0 … classes − 1 → [B, classes]. */
export function oneHot(labels: readonly number[], classes: number): Tensor<"float32"> {
  const data = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => {
    data[row * classes + label] = 1;
  });
  return float32([labels.length, classes], data);
}

// Names of the program's inputs and outputs.
const [IMAGES, TARGET, PARAM, BUFFER] = ["images", "target", "param.", "buffer."] as const;
const [LOSS, GRADIENT, MEAN, VARIANCE] = ["loss", "gradient.", "mean.", "variance."] as const;

function gradientGraph(model: Model, batchSize: number, mode: Mode) {
  const params = inputsFor(model.params, PARAM);
  const { logits, statistics } = model.forward({
    params,
    buffers: inputsFor(model.buffers, BUFFER),
    x: input(IMAGES, [batchSize, ...model.inputShape]),
    mode,
  });
  const loss = crossEntropy(logits, input(TARGET, [batchSize, model.classes]));
  const names = model.params.map(({ name }) => name);
  const gradients = grad(
    loss,
    names.map((name) => params[name]!),
  );
  const outputs: Record<string, Node> = { [LOSS]: loss };
  names.forEach((name, i) => {
    outputs[GRADIENT + name] = gradients[i]!;
  });
  const counts: Record<string, number> = {};
  for (const [name, { mean, variance, count }] of Object.entries(statistics)) {
    outputs[MEAN + name] = mean;
    outputs[VARIANCE + name] = variance;
    counts[name] = count;
  }
  return { outputs, counts };
}
