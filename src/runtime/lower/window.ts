import type { Conv } from "../../graph/index.ts";

/** The attributes that ONNX's Conv and ConvTranspose share, for a weight of this shape. */
export function windowOf(weight: readonly number[], { stride, padding, dilation, groups }: Conv) {
  return {
    kernel_shape: weight.slice(2),
    strides: stride,
    pads: [...padding, ...padding],
    dilations: dilation,
    group: groups,
  };
}
