import type { Observation } from "../../fl/index.ts";
import { input, softmax } from "../../graph/index.ts";
import { inputsFor, type Mode, type Model } from "../../nn/index.ts";
import { type Compile, compile, type Device } from "../../runtime/index.ts";
import { row, stack, type Tensor, type Tensors } from "../../tensor/index.ts";
import { type Key, split } from "../../util/index.ts";
import { noiseImages, smoothImages } from "./dummy-images.ts";
import { type LabelRule, RULES } from "./rules.ts";
import type { LabelEvidence } from "./types.ts";

/** What labels are inferred from, and how the model is to be run for it. */
export interface LabelPlan {
  readonly model: Model;
  readonly observation: Observation;
  readonly batchSize: number;
  /** How BatchNorm normalises the dummy images; the client's mode. */
  readonly mode: Mode;
  /** Where the dummy images come from. */
  readonly key: Key;
  readonly device: Device;
  readonly threads: number;
  /** How the program for the dummy images is compiled; a cache's `compile` lets trials of one batch size share it. */
  readonly compile?: Compile;
}

/**
 * The evidence for one of `rules`: what the observation holds, and for rules that need it the model's softmax on dummy images.
 *
 * Dummies are half noise, half smooth, in batches of the client's size, since BatchNorm in train mode makes each image's
 * output depend on how many there are; at least DUMMIES of each. Nothing but the observation is looked at.
 */
export async function gatherEvidence(plan: LabelPlan, ...rules: readonly LabelRule[]): Promise<LabelEvidence> {
  const { model, observation, batchSize } = plan;
  const { update, global } = observation;
  const evidence = { head: model.head, update, global, batchSize, classes: model.classes };
  const biased = model.head.bias !== undefined;
  const needed = rules.some((rule) => (rule === "auto" ? biased : RULES[rule].needsDummies));
  return needed ? { ...evidence, probabilities: await dummyProbabilities(plan) } : evidence;
}

const DUMMIES = 32; // of each kind: their mean is then off by under a fifth of one image's deviation; our choice

async function dummyProbabilities(plan: LabelPlan): Promise<Tensor<"float32">> {
  const { model, observation, mode, key, device, threads } = plan;
  const size = mode === "train" ? plan.batchSize : DUMMIES;
  const shape = [size, ...model.inputShape];
  const { logits } = model.forward({
    params: inputsFor(model.params, PARAM),
    buffers: inputsFor(model.buffers, BUFFER),
    x: input(IMAGES, shape),
    mode,
  });
  const program = await (plan.compile ?? compile)({ [OUTPUT]: softmax(logits) }, { device, threads });
  try {
    const weights = { ...named(PARAM, observation.global.params), ...named(BUFFER, observation.global.buffers) };
    const rows: Tensor<"float32">[] = [];
    for (const [kind, draw] of [["noise", noiseImages] as const, ["smooth", smoothImages] as const]) {
      for (let batch = 0; batch * size < DUMMIES; batch++) {
        const images = draw(shape, split(split(key, kind), batch));
        const result = await program.run({ ...weights, [IMAGES]: images });
        for (let i = 0; i < size; i++) rows.push(row(result[OUTPUT]!, i));
      }
    }
    return stack(rows);
  } finally {
    await program.release();
  }
}

// Names of the program's inputs and output.
const [IMAGES, PARAM, BUFFER, OUTPUT] = ["images", "param.", "buffer.", "probabilities"] as const;

function named(prefix: string, tensors: Tensors<"float32">): Tensors<"float32"> {
  return Object.fromEntries(Object.entries(tensors).map(([name, t]) => [prefix + name, t]));
}
