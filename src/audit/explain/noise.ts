import { clientGradientStep } from "../../fl/index.ts";
import { parseDevice, programCache } from "../../runtime/index.ts";
import { float32, type Tensor, type Tensors } from "../../tensor/index.ts";
import { type Key, normal, key as seedKey, split } from "../../util/index.ts";
import { gradientDistances } from "./distances.ts";
import type { NoiseLevel, NoisePart } from "./schema.ts";
import type { Outcome, Task } from "./task.ts";
import { variantsOf } from "./variants.ts";

/** 0, then 0.001 … 1, three a decade: our choice, from under one grey level in 256 to the whole range of a pixel. */
export const STRENGTHS: readonly number[] = [0, ...Array.from({ length: 10 }, (_, i) => 10 ** (i / 3 - 3))];

/** The gradient of the client's loss at these images, with the client's labels. */
export type GradientAt = (images: Tensor<"float32">) => Promise<Tensors<"float32">>;

/**
 * How far the gradient moves when the private images x do: distances of g(x + s·sign(n)) to g(x), n ~ N(0,1) a pixel.
 *
 * For each strength s the same draws of signs, so that the curves differ by s alone. g is the client's gradient before any
 * defence; the noisy images are not clamped (our choice). The partial distances keep the share ρ of largest |g′| over all
 * entries: the attack's, or the preset fedleak's where the attack matches all.
 * Source: FedLeak, Section 3 and Figure 1b, there over 100 images and 100 draws.
 */
export async function measureNoise(
  task: Task,
): Promise<Outcome & Pick<NoisePart, "draws" | "maskRatio" | "gradientNorm" | "full" | "partial">> {
  const { trial, options } = task;
  const { model, weights, truth, spec } = trial;
  const programs = programCache();
  try {
    const step = {
      model,
      weights,
      labels: truth.labels,
      mode: spec.client.batchNorm,
      device: parseDevice(spec.device),
      threads: spec.threads,
      compile: programs.compile,
    };
    const gradientAt: GradientAt = async (images) => (await clientGradientStep({ ...step, images })).update;
    return await noiseCurves(gradientAt, truth.images, {
      draws: options.draws,
      maskRatio: variantsOf(trial.settings).at(-1)!.settings.maskRatio, // of the variant with both techniques
      key: split(seedKey(spec.seed), "explain-noise"),
      tick: task.tick,
      stopped: task.stopped,
    });
  } finally {
    await programs.release();
  }
}

interface NoisePlan {
  readonly draws: number;
  readonly maskRatio: number;
  readonly key: Key;
  readonly tick: Task["tick"];
  readonly stopped: Task["stopped"];
}

/** The curves for any gradient function; after an interruption the draws that are whole. */
export async function noiseCurves(
  gradientAt: GradientAt,
  images: Tensor<"float32">,
  { draws, maskRatio, key, tick, stopped }: NoisePlan,
): Promise<Outcome & Pick<NoisePart, "draws" | "maskRatio" | "gradientNorm" | "full" | "partial">> {
  const observed = await gradientAt(images);
  const [full, partial] = [emptyLevels(), emptyLevels()];
  let whole = 0;
  for (; whole < draws && !stopped(); whole++) {
    const signs = normal(split(key, whole), images.data.length).map(Math.sign);
    for (const [i, strength] of STRENGTHS.entries()) {
      const noisy = float32(
        images.shape,
        images.data.map((x, k) => x + strength * signs[k]!),
      );
      const moved = strength === 0 ? observed : await gradientAt(noisy);
      add(full[i]!, gradientDistances(moved, observed, 1));
      add(partial[i]!, gradientDistances(moved, observed, maskRatio));
      tick(whole * STRENGTHS.length + i + 1, draws * STRENGTHS.length);
    }
  }
  const status = whole < draws ? "interrupted" : "finished";
  return { status, draws: whole, maskRatio, gradientNorm: normOf(observed), full, partial };
}

function emptyLevels(): NoiseLevel[] {
  return STRENGTHS.map((strength) => ({ strength, l2: [], cosine: [], l1Cosine: [] }));
}

function add(level: NoiseLevel, { l2, cosine, l1Cosine }: ReturnType<typeof gradientDistances>): void {
  level.l2.push(l2);
  level.cosine.push(cosine);
  level.l1Cosine.push(l1Cosine);
}

function normOf(tensors: Tensors<"float32">): number {
  const squares = Object.values(tensors).map(({ data }) => data.reduce((sum, g) => sum + g * g, 0));
  return Math.sqrt(squares.reduce((a, b) => a + b, 0));
}
