import type { Backbone } from "../../../src/metrics/lpips/backbones.ts";
import { lpipsTensors } from "../../../src/metrics/lpips/weights.ts";
import { float32, sizeOf, type Tensors } from "../../../src/tensor/index.ts";
import { key, normal, split, uniform } from "../../../src/util/index.ts";

/** Made-up weights of a backbone: convolutions from N(0, 1/fan-in), linear weights ≥ 0 as trained ones are. */
export function madeUpWeights(backbone: Backbone, seed: number): Tensors<"float32"> {
  return Object.fromEntries(
    lpipsTensors(backbone).map(({ name, shape }) => {
      const k = split(key(seed), name);
      const values = name.startsWith("lin")
        ? uniform(k, sizeOf(shape))
        : normal(k, sizeOf(shape)).map((v) => v / Math.sqrt(sizeOf(shape.slice(1))));
      return [name, float32(shape, values)];
    }),
  );
}
