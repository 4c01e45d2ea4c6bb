import { type ClientUpdate, clientGradientStep, type GradientStep } from "../fl/index.ts";
import { programCache } from "../runtime/index.ts";
import { float32, type Shape } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import type { Update } from "./types.ts";

/**
 * A client's step with each image's gradient changed before the mean: (1/B) Σ_b f(∇ CE(F(x_b), y_b)).
 *
 * One program of one image, run B times; the sum is taken in float64. In train mode BatchNorm would couple the images, so
 * that no image has a gradient of its own (and one alone has no variance): such a model is refused, and its client has to
 * train in eval mode, by the running statistics, which the server then knows too.
 * Throws FedleakError for a model with BatchNorm in train mode, and for local training of several steps: there the images
 * of a step act on the gradients of all later ones, so a bound on each image's own would have to hold inside the steps.
 */
export async function exampleGradients(
  step: GradientStep,
  each: readonly ((gradient: Update) => Update)[],
): Promise<ClientUpdate> {
  checkBatchNorm(step);
  checkOneStep(step);
  const cache = step.compile ? undefined : programCache();
  const { images, labels } = step;
  const size = images.data.length / labels.length;
  const sums: Record<string, { readonly shape: Shape; readonly data: Float64Array }> = {};
  let first: ClientUpdate | undefined;
  let loss = 0;
  try {
    for (const [b, label] of labels.entries()) {
      const data = images.data.slice(b * size, (b + 1) * size);
      const one = await clientGradientStep({
        ...step,
        ...(cache && { compile: cache.compile }),
        images: { ...images, shape: [1, ...images.shape.slice(1)], data },
        labels: [label],
      });
      first ??= one;
      loss += one.loss / labels.length;
      const changed = each.reduce((gradient, change) => change(gradient), one.update);
      for (const [name, { shape, data: part }] of Object.entries(changed)) {
        sums[name] ??= { shape, data: new Float64Array(part.length) };
        const sum = sums[name].data;
        for (let i = 0; i < sum.length; i++) sum[i]! += part[i]!;
      }
    }
  } finally {
    await cache?.release();
  }
  const update = Object.fromEntries(
    Object.entries(sums).map(([name, { shape, data }]) => [
      name,
      float32(
        shape,
        data.map((sum) => sum / labels.length),
      ),
    ]),
  );
  return { ...first!, update, batchSize: labels.length, labels: [...labels], loss };
}

function checkOneStep({ local }: GradientStep): void {
  if (local === undefined || local.steps === 1) return;
  fail({
    who: "defences",
    must: "a defence of each image's gradient needs a client that sends one gradient",
    got: `${local.steps} local steps`,
    remedy: "Pass --local-steps 1, or choose a defence that acts on the update.",
  });
}

function checkBatchNorm({ model, mode }: GradientStep): void {
  if (mode === "eval" || model.buffers.length === 0) return;
  fail({
    who: "defences",
    must: "a defence of each image's gradient needs images that do not act on each other",
    got: `${model.name} with BatchNorm in train mode`,
    remedy: "Pass --bn-mode eval, or take a model without BatchNorm.",
  });
}
