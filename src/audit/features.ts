import { input } from "../graph/index.ts";
import { type Images, take } from "../metrics/index.ts";
import { inputsFor } from "../nn/index.ts";
import { compile } from "../runtime/index.ts";
import { float32, type Tensor } from "../tensor/index.ts";
import type { Trial } from "./trial.ts";

/** The audited model up to the input of its last linear layer. */
export interface Features {
  /** images [M,C,H,W] in [0,1] → [M,D] */
  of(images: Images): Promise<Tensor<"float32">>;
  release(): Promise<void>;
}

/**
 * Compiles the features of a trial's model with its weights, for measuring.
 *
 * BatchNorm normalises by its running statistics whatever the client does (our choice): what an image scores must not
 * depend on the images beside it. Computed on the processor.
 */
export async function openFeatures({
  model,
  weights,
  spec,
}: Pick<Trial, "model" | "weights" | "spec">): Promise<Features> {
  const { features } = model.forward({
    params: inputsFor(model.params, PREFIX),
    buffers: inputsFor(model.buffers, PREFIX),
    x: input("x", [AT_ONCE, ...model.inputShape]),
    mode: "eval",
  });
  const bake = Object.fromEntries(
    Object.entries({ ...weights.params, ...weights.buffers }).map(([name, value]) => [PREFIX + name, value] as const),
  );
  const program = await compile({ features }, { bake, threads: spec.threads });
  return {
    release: () => program.release(),
    of: async (images) => {
      const count = images.shape[0]!;
      const width = features.shape[1]!;
      const data = new Float32Array(count * width);
      for (let start = 0; start < count; start += AT_ONCE) {
        const some = Array.from({ length: AT_ONCE }, (_, i) => Math.min(start + i, count - 1)); // the last one fills up
        const { features: found } = await program.run({ x: take(images, some) });
        data.set(found!.data.subarray(0, Math.min(AT_ONCE, count - start) * width), start * width);
      }
      return float32([count, width], data);
    },
  };
}

const PREFIX = "model.";
const AT_ONCE = 8; // images a run of the program; our choice
