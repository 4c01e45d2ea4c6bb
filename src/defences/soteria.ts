import { type GradientStep, prefixed } from "../fl/index.ts";
import { grad, input, matmul, sqrt, square, sum } from "../graph/index.ts";
import { inputsFor } from "../nn/index.ts";
import { compile } from "../runtime/index.ts";
import { float32 } from "../tensor/index.ts";
import { percentile } from "./magnitude.ts";
import { number, PERCENT } from "./settings.ts";
import { defineDefence } from "./types.ts";

/**
 * Zeroes columns of the last layer's weight gradient: those of features i whose score lies under the percentile.
 *
 * score_i = Σ_b ‖∂r_i/∂x_b‖₂ / (r_bi + 0.1) for the features r [B,D] before the last layer, weight [N,D]. Source: Sun et al., CVPR
 * 2021, as METHODS 3 gives it. Differs: in train mode ∂r_i is of the sum of r_i over the batch, as BatchNorm couples its images.
 * Cost: one backward pass of the features for each of the D features.
 */
export const soteria = defineDefence({
  name: "soteria",
  about: "zeroes the part of the last layer's gradient that belongs to features which the images move least",
  source: "Sun et al., Soteria, CVPR 2021",
  claim: "in the last layer's weight the columns with scores under the percentile are zeroed; no other tensor changes",
  stage: "update",
  settings: { percentile: number(50, PERCENT, "the percentile of the scores under which columns are zeroed") },
  readsImages: true,
  tells: () => "the columns are chosen by the images themselves: an epsilon of a defence before it does not hold",
  async apply(update, { settings, step }) {
    const scores = await featureScores(step);
    const threshold = percentile(scores, settings.percentile);
    const name = step.model.head.weight;
    const { shape, data } = update[name]!;
    const kept = data.map((value, i) => (scores[i % scores.length]! < threshold ? 0 : value));
    return { ...update, [name]: float32(shape, kept) };
  },
});

/** The score of each feature, D numbers. */
export async function featureScores(step: GradientStep): Promise<Float64Array> {
  const { model, weights, images, mode, device = "cpu", threads = 0 } = step;
  const x = input("images", images.shape);
  const { features } = model.forward({
    params: inputsFor(model.params, "param."),
    buffers: inputsFor(model.buffers, "buffer."),
    x,
    mode,
  });
  const [batch, count] = features.shape as readonly [number, number];
  const [slope] = grad(sum(matmul(features, input("pick", [count, 1]))), [x]);
  const program = await (step.compile ?? compile)(
    { features, lengths: sqrt(sum(square(slope!), [1, 2, 3])) },
    { device, threads, bake: { ...prefixed("param.", weights.params), ...prefixed("buffer.", weights.buffers) } },
  );
  try {
    const scores = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const pick = Float32Array.from({ length: count }, (_, j) => (i === j ? 1 : 0));
      const result = await program.run({ images, pick: float32([count, 1], pick) });
      const [r, lengths] = [result.features!.data, result.lengths!.data];
      for (let b = 0; b < batch; b++) {
        scores[i]! += Number(lengths[b]) / (Number(r[b * count + i]) + OFFSET);
      }
    }
    return scores;
  } finally {
    await program.release();
  }
}

const OFFSET = 0.1; // METHODS 3: keeps silent features finite
