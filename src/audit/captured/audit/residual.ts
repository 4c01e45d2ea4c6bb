import type { AttackSettings } from "../../../attacks/index.ts";
import { clientUpdate, type Observation } from "../../../fl/index.ts";
import { take } from "../../../metrics/index.ts";
import type { Model } from "../../../nn/index.ts";
import type { Compile, Device } from "../../../runtime/index.ts";
import type { Tensor, Tensors } from "../../../tensor/index.ts";

/** What the gradient of found images is computed with. */
export interface GradientFrame {
  readonly model: Model;
  /** Weights handed out, BatchNorm's mode, and the update that is to be explained. */
  readonly observation: Observation;
  /** How the search has imagined several local steps. */
  readonly settings: Pick<AttackSettings, "localModel" | "surrogateAt">;
  readonly device: Device;
  readonly threads: number;
  /** A cache of programs has it where several batches are measured. */
  readonly compile?: Compile;
}

/**
 * How far found images are from explaining an update: 1 − cos(g′, ĝ) over all parameters, in [0,2].
 *
 * images [B,C,H,W] in [0,1] as they are handed over, with their labels; g′ is what the client would have sent of them: their mean
 * gradient at the weights handed out, or over several local steps as the search's `localModel` has it.
 * 0: they explain it wholly, 1: not at all. NaN where a gradient is zero or not finite.
 */
export async function residualOf(
  images: Tensor<"float32">,
  labels: readonly number[],
  frame: GradientFrame,
): Promise<number> {
  const { model, observation, device, threads, compile } = frame;
  const { mode, update } = observation;
  const made = await clientUpdate({
    ...{ model, mode, device, threads },
    ...(compile && { compile }),
    ...imagined(images, labels, frame),
  });
  return 1 - cosineOf(made.update, update);
}

/** The client's step or steps as the search has imagined them; `attacks` deals candidates to the steps in turn. */
function imagined(images: Tensor<"float32">, labels: readonly number[], { observation, settings }: GradientFrame) {
  const { global: weights, local, update } = observation;
  if (!local || settings.localModel === "averaged") return { weights, images, labels };
  if (settings.localModel === "unrolled") {
    const dealt = Array.from({ length: local.steps }, (_, s) =>
      labels.map((_, i) => i).filter((i) => i % local.steps === s),
    ).flat();
    return { weights, images: take(images, dealt), labels: dealt.map((i) => labels[i]!), local };
  }
  const way = settings.surrogateAt * local.learningRate * (local.steps - 1);
  return { weights: { ...weights, params: moved(weights.params, update, way) }, images, labels };
}

/** w − way·ĝ, parameter by parameter. */
function moved(params: Tensors<"float32">, update: Tensors<"float32">, way: number): Tensors<"float32"> {
  return Object.fromEntries(
    Object.entries(params).map(([name, t]) => {
      const { data } = update[name]!;
      return [name, { ...t, data: t.data.map((w, i) => w - way * data[i]!) }];
    }),
  );
}

function cosineOf(a: Tensors<"float32">, b: Tensors<"float32">): number {
  let [product, squaresA, squaresB] = [0, 0, 0];
  for (const [name, { data }] of Object.entries(a)) {
    const other = b[name]!.data;
    for (let i = 0; i < data.length; i++) {
      product += data[i]! * other[i]!;
      squaresA += data[i]! * data[i]!;
      squaresB += other[i]! * other[i]!;
    }
  }
  return product / Math.sqrt(squaresA * squaresB);
}
