import { type Evaluation, openEvaluator, type Weights } from "../../fl/index.ts";
import { shareInterval95 } from "../../metrics/index.ts";
import type { Training } from "./prepare.ts";
import type { TrainResults } from "./record.ts";

/** Measures how well weights classify images that nobody trained on. */
export interface Measurer {
  /** On the public split, or `most` images spread evenly over it. */
  open(weights: Weights, most?: number): Promise<Evaluation>;
  /** On the test set, if there is one. */
  test(weights: Weights): Promise<Evaluation | undefined>;
  release(): Promise<void>;
}

/** The measurer of a training; BatchNorm goes by its running statistics. */
export async function measurer({ spec, model, device, data, open, test }: Training): Promise<Measurer> {
  const evaluator = await openEvaluator({ model, batchSize: AT_ONCE, device, threads: spec.threads });
  const on = (source: typeof data, indices: readonly number[], weights: Weights) =>
    evaluator.evaluate(weights, indices.length, (from, to) => source.take(indices.slice(from, to)));
  return {
    open: (weights, most = open.length) => {
      const size = Math.min(most, open.length);
      const some = Array.from({ length: size }, (_, i) => open[Math.floor((i * open.length) / size)]!);
      return on(data, some, weights);
    },
    test: async (weights) => (test ? on(test, [...test.labels.keys()], weights) : undefined),
    release: () => evaluator.release(),
  };
}

/** Public images at most in a measurement on the way; our choice: ± 3 % at 95 % confidence, and little time. */
export const ON_THE_WAY = 1000;

/** A measurement with what it must be read beside: its interval, and what naming one class scores. labels: of its images. */
export function withScale({ images, accuracy, loss }: Evaluation, labels: readonly number[]): TrainResults["open"] {
  return {
    images,
    accuracy,
    interval95: shareInterval95(accuracy, images),
    majorityFloor: majorityShare(labels),
    loss,
  };
}

/** The share of the commonest label. */
export function majorityShare(labels: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Math.max(...counts.values()) / labels.length;
}

const AT_ONCE = 100; // images; our choice: beyond it nothing gets faster
