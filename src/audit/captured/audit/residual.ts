import { clientGradientStep, type Weights } from "../../../fl/index.ts";
import type { Mode, Model } from "../../../nn/index.ts";
import type { Device } from "../../../runtime/index.ts";
import type { Tensor, Tensors } from "../../../tensor/index.ts";

/** What the gradient of found images is computed with. */
export interface GradientFrame {
  readonly model: Model;
  readonly weights: Weights;
  readonly mode: Mode;
  readonly device: Device;
  readonly threads: number;
}

/**
 * How far found images are from explaining an update: 1 − cos(g′, ĝ) over all parameters, in [0,2].
 *
 * images [B,C,H,W] in [0,1] as they are handed over, with their labels; g′ is their mean gradient in one step at the weights
 * handed out. 0: they explain it wholly, 1: not at all. NaN where a gradient is zero or not finite.
 */
export async function residualOf(
  images: Tensor<"float32">,
  labels: readonly number[],
  update: Tensors<"float32">,
  frame: GradientFrame,
): Promise<number> {
  return 1 - cosineOf((await clientGradientStep({ ...frame, images, labels })).update, update);
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
