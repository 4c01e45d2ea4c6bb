import { input } from "../graph/index.ts";
import { inputsFor, type Model } from "../nn/index.ts";
import { type Compile, compile, type Device } from "../runtime/index.ts";
import { float32, sizeOf, type Tensor } from "../tensor/index.ts";
import { prefixed } from "./prefix.ts";
import type { Batch, Weights } from "./types.ts";

export interface EvaluationPlan {
  readonly model: Model;
  /** Images at once; it changes no result beyond rounding. */
  readonly batchSize: number;
  readonly device?: Device;
  readonly threads?: number;
  readonly compile?: Compile;
}

/** How well a model does on some images. */
export interface Evaluation {
  readonly images: number;
  readonly correct: number;
  /** correct / images */
  readonly accuracy: number;
  /** Mean cross-entropy. */
  readonly loss: number;
}

export interface Evaluator {
  /** Classifies the images that `take` gives for runs of `count` indices: no more than `batchSize` are held at once. */
  evaluate(weights: Weights, count: number, take: (from: number, to: number) => Promise<Batch>): Promise<Evaluation>;
  release(): Promise<void>;
}

/** A program that classifies images, BatchNorm by its running statistics: accuracy and mean cross-entropy. */
export async function openEvaluator(plan: EvaluationPlan): Promise<Evaluator> {
  const { model, batchSize, device = "cpu", threads = 0 } = plan;
  const { logits } = model.forward({
    params: inputsFor(model.params, PARAM),
    buffers: inputsFor(model.buffers, BUFFER),
    x: input(IMAGES, [batchSize, ...model.inputShape]),
    mode: "eval",
  });
  const program = await (plan.compile ?? compile)({ [LOGITS]: logits }, { device, threads });
  return {
    evaluate: async (weights, count, take) => {
      const fed = { ...prefixed(PARAM, weights.params), ...prefixed(BUFFER, weights.buffers) };
      let [correct, loss] = [0, 0];
      for (let from = 0; from < count; from += batchSize) {
        const { images, labels } = await take(from, Math.min(count, from + batchSize));
        const made = await program.run({ ...fed, [IMAGES]: filledUp(images, batchSize) });
        correct += countCorrect(made[LOGITS]!, labels);
        loss += labels.reduce((sum, label, row) => sum + crossEntropyOf(rowOf(made[LOGITS]!, row), label), 0);
      }
      return { images: count, correct, accuracy: correct / count, loss: loss / count };
    },
    release: () => program.release(),
  };
}

/** How many rows of logits [B,N] have their greatest entry at the row's label; rows beyond the labels are passed over. */
export function countCorrect(logits: Tensor<"float32">, labels: readonly number[]): number {
  return labels.filter((label, row) => {
    const values = rowOf(logits, row);
    return values.indexOf(Math.max(...values)) === label;
  }).length;
}

const [IMAGES, PARAM, BUFFER, LOGITS] = ["images", "param.", "buffer.", "logits"] as const;

/** −logSoftmax(row)[label] in float64. */
function crossEntropyOf(row: Float32Array, label: number): number {
  const peak = Math.max(...row);
  return Math.log(row.reduce((sum, v) => sum + Math.exp(v - peak), 0)) + peak - row[label]!;
}

function rowOf({ shape, data }: Tensor<"float32">, row: number): Float32Array {
  return data.subarray(row * shape[1]!, (row + 1) * shape[1]!);
}

/** [B′,C,H,W] with B′ ≤ B → [B,C,H,W], black images at the end: in eval mode rows do not meet. */
function filledUp(images: Tensor<"float32">, batchSize: number): Tensor<"float32"> {
  if (images.shape[0] === batchSize) return images;
  const shape = [batchSize, ...images.shape.slice(1)];
  const data = new Float32Array(sizeOf(shape));
  data.set(images.data);
  return float32(shape, data);
}
