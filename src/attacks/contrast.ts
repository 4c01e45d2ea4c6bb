import type { Observation } from "../fl/index.ts";
import { input } from "../graph/index.ts";
import { inputsFor, type Mode, type Model } from "../nn/index.ts";
import { type CompileOptions, compile } from "../runtime/index.ts";
import { float32, type Tensors } from "../tensor/index.ts";
import { type Key, normal, split } from "../util/index.ts";
import { noiseImages } from "./labels/dummy-images.ts";
import type { AttackSettings } from "./settings.ts";

/** Of whom it is asked whether the update tells its batch's contrast. */
export interface ContrastPlan {
  readonly model: Model;
  /** How the attacker's BatchNorm normalises. */
  readonly mode: Mode;
  readonly observation: Pick<Observation, "global" | "statistics">;
  readonly settings: Pick<AttackSettings, "stretch" | "bnPrior">;
  /** Where the images that are tried out come from. */
  readonly key: Key;
  readonly options: Pick<CompileOptions, "device" | "threads">;
}

/** What the ledger says where `stretch` acts. */
export const STRETCHED = "BatchNorm hides it; set so that the batch spans [0,1]";

/**
 * Whether `stretch` is to choose the batch's contrast: it is asked for, nothing that is matched tells it, and the model hides it.
 *
 * The model is tried out in train mode: of noise x and of x/2 it must give the same logits within 1 % of how they differ from
 * image to image, under the weights handed out and under those weights moved at random. An update is the slope of the loss by
 * the weights, so logits that stay the same around them leave it the same too; at the weights alone, zero biases before a
 * nonlinearity would go unnoticed. Granted statistics that the objective matches tell the contrast whatever the model is.
 * Source: ours.
 */
export async function contrastHidden(plan: ContrastPlan): Promise<boolean> {
  const { model, mode, observation, settings, key, options } = plan;
  if (!settings.stretch || mode !== "train" || model.buffers.length === 0) return false;
  if (settings.bnPrior > 0 && observation.statistics !== undefined) return false;
  const shape = [IMAGES, ...model.inputShape];
  const program = await compile(
    {
      [LOGITS]: model.forward({
        params: inputsFor(model.params, PARAM),
        buffers: inputsFor(model.buffers, BUFFER),
        x: input(X, shape),
        mode,
      }).logits,
    },
    options,
  );
  try {
    const { params, buffers } = observation.global;
    const whole = noiseImages(shape, split(key, "images"));
    const half = float32(
      shape,
      whole.data.map((v) => v / 2),
    );
    for (const weights of [params, moved(params, split(key, "weights"))]) {
      const feeds = { ...named(PARAM, weights), ...named(BUFFER, buffers) };
      const [a, b] = [await program.run({ ...feeds, [X]: whole }), await program.run({ ...feeds, [X]: half })];
      if (!(change(a[LOGITS]!.data, b[LOGITS]!.data, model.classes) <= MOST)) return false; // NaN too: the model tells nothing
    }
    return true;
  } finally {
    await program.release();
  }
}

const IMAGES = 4; // enough to differ from each other; our choice
const MOST = 1e-2; // ε left up to 0.0025 of noise in [0,1], a bias behind a nonlinearity 0.065 and more (measured); our choice
const NUDGE = 0.1; // of a tensor's root mean square, and itself where that is 0; our choice

// Names of the program's inputs and output.
const [X, PARAM, BUFFER, LOGITS] = ["x", "param.", "buffer.", "logits"] as const;

/** ‖a − b‖ over how a's rows differ from their mean. */
function change(a: ArrayLike<number>, b: ArrayLike<number>, classes: number): number {
  const rows = a.length / classes;
  let [apart, spread] = [0, 0];
  for (let j = 0; j < classes; j++) {
    let mean = 0;
    for (let i = 0; i < rows; i++) mean += a[i * classes + j]! / rows;
    for (let i = 0; i < rows; i++) {
      apart += (a[i * classes + j]! - b[i * classes + j]!) ** 2;
      spread += (a[i * classes + j]! - mean) ** 2;
    }
  }
  return Math.sqrt(apart / spread);
}

/** The weights, each with normal noise of a tenth of its tensor's size. */
function moved(params: Tensors<"float32">, key: Key): Tensors<"float32"> {
  return Object.fromEntries(
    Object.entries(params).map(([name, { shape, data }]) => {
      const size = Math.sqrt(data.reduce((sum, v) => sum + v * v, 0) / data.length) || 1;
      const noise = normal(split(key, name), data.length);
      return [
        name,
        float32(
          shape,
          data.map((v, i) => v + NUDGE * size * noise[i]!),
        ),
      ];
    }),
  );
}

function named(prefix: string, tensors: Tensors<"float32">): Tensors<"float32"> {
  return Object.fromEntries(Object.entries(tensors).map(([name, t]) => [prefix + name, t]));
}
