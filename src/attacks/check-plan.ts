import type { Observation } from "../fl/index.ts";
import type { Mode, Model } from "../nn/index.ts";
import { sameShape, shapeText } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import type { Preset } from "./preset.ts";
import type { AttackSettings } from "./settings.ts";

/**
 * What an attack on this observation works with: BatchNorm's mode and B.
 *
 * Throws FedleakError when a required capability is not granted, weights or update do not fit the model, or the images
 * cannot be dealt to the local steps that are to be simulated.
 */
export function checkPlan(plan: {
  readonly model: Model;
  readonly observation: Observation;
  readonly attack: Preset;
  readonly settings: Pick<AttackSettings, "localModel">;
  readonly mode?: Mode;
}): { readonly mode: Mode; readonly batchSize: number } {
  const { model, observation, attack } = plan;
  const missing = attack.requires.find((capability) => !observation.granted.includes(capability));
  if (missing) {
    fail({
      who: `attack ${attack.name}`,
      must: `the threat model must grant "${missing}"`,
      got: observation.granted.join(", ") || "nothing granted",
      remedy: `Grant ${missing}, or choose an attack that does without.`,
    });
  }
  for (const { name, shape } of model.params) {
    for (const [what, tensors] of [
      ["weights", observation.global.params],
      ["update", observation.update],
    ] as const) {
      const tensor = tensors[name];
      if (!tensor || !sameShape(tensor.shape, shape)) {
        fail({
          who: `attack ${attack.name}`,
          must: `the ${what} must hold "${name}" of shape ${shapeText(shape)}, as model ${model.name} has it`,
          got: tensor ? shapeText(tensor.shape) : "nothing",
          remedy: "Name the architecture and options the client trained.",
        });
      }
    }
  }
  const batchSize = observation.batchSize ?? observation.labels?.length;
  if (batchSize === undefined) {
    fail({
      who: `attack ${attack.name}`,
      must: "the number of images must be known",
      got: "neither batch-size nor labels granted",
      remedy: "Grant batch-size: it is part of the training configuration.",
    });
  }
  const steps = plan.settings.localModel === "unrolled" ? observation.local?.steps : undefined;
  if (steps !== undefined && batchSize % steps !== 0) {
    fail({
      who: `attack ${attack.name}`,
      must: `the number of images must be a multiple of the ${steps} local steps, to be simulated`,
      got: `${batchSize}`,
      remedy: "Set localModel to averaged or surrogate.",
    });
  }
  return { mode: plan.mode ?? observation.mode, batchSize };
}
