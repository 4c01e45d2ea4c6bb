import { type Evaluation, openEvaluator, type Weights } from "../../fl/index.ts";
import type { Training } from "./prepare.ts";

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

const AT_ONCE = 100; // images; our choice: beyond it nothing gets faster
