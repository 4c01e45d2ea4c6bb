import { maximum, minimum } from "../../graph/index.ts";
import { mapNodes } from "../../optim/index.ts";
import { float32, type Shape, sizeOf, type Tensor } from "../../tensor/index.ts";
import { type Key, normal, uniform } from "../../util/index.ts";
import type { AttackSettings } from "../settings.ts";
import type { Parameterisation } from "./types.ts";

const IMAGES = "x";

/**
 * The images themselves are optimised: x [B,C,H,W], put back into [0,1] after each step when `clamp` is set.
 *
 * Start: N(0,1), U(0,1) or 0.5 everywhere. Source: Zhu et al., "Deep leakage from gradients", 2019; the box is FedLeak's, Algorithm 1.
 */
export function pixels(shape: Shape, { init, clamp }: Pick<AttackSettings, "init" | "clamp">): Parameterisation {
  return {
    variables: { [IMAGES]: shape },
    buffers: {},
    fixed: {},
    imagesIn: IMAGES,
    initial: (key) => ({ [IMAGES]: start(shape, init, key) }),
    decode: (tensors) => ({ images: tensors[IMAGES]!, buffers: {} }),
    project: (variables) => (clamp ? mapNodes(variables, (x) => minimum(maximum(x, 0), 1)) : variables),
  };
}

function start(shape: Shape, init: AttackSettings["init"], key: Key): Tensor<"float32"> {
  if (init === "normal") return float32(shape, normal(key, sizeOf(shape)));
  if (init === "uniform") return float32(shape, uniform(key, sizeOf(shape)));
  return float32(shape, new Float32Array(sizeOf(shape)).fill(0.5)); // mid-grey
}
