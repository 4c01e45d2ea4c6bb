import { concat, conv2d, maxPool, type Node, pad, relu } from "../../graph/index.ts";
import type { Shape } from "../../tensor/index.ts";

/** Gives a network the node of the tensor it asks for by torchvision's name. */
export type Ask = (name: string, shape: Shape) => Node;

/** A convolutional network whose intermediate activations LPIPS compares. */
export interface Backbone {
  readonly name: string;
  readonly source: string;
  /** A tensor that only this network has, by which a file is told apart. */
  readonly mark: string;
  /** x [M,3,H,W], shifted and scaled → the activations that are compared, [M,C_l,H_l,W_l] each, all ≥ 0. */
  readonly taps: (ask: Ask, x: Node) => readonly Node[];
}

/**
 * AlexNet's five convolutions with ReLU; max-pooling 3 × 3 by 2 after the first two.
 *
 * Images of 31 px or more. 2,469,696 parameters, features.0 … features.10.
 * Source: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014, as torchvision has it.
 */
export const alexnet: Backbone = {
  name: "alexnet",
  source: "Krizhevsky 2014, torchvision's alexnet",
  mark: "features.10.weight",
  taps: (ask, x) => {
    const first = convRelu(ask, "features.0", x, { channels: 64, kernel: 11, stride: 4, padding: 2 });
    const second = convRelu(ask, "features.3", halved(first), { channels: 192, kernel: 5, padding: 2 });
    const third = convRelu(ask, "features.6", halved(second), { channels: 384, kernel: 3, padding: 1 });
    const fourth = convRelu(ask, "features.8", third, { channels: 256, kernel: 3, padding: 1 });
    const fifth = convRelu(ask, "features.10", fourth, { channels: 256, kernel: 3, padding: 1 });
    return [first, second, third, fourth, fifth];
  },
};

/**
 * SqueezeNet 1.1 without its classifier: a convolution and eight fire modules, max-pooling 3 × 3 by 2 that rounds sizes up.
 *
 * Images of 17 px or more. 722,496 parameters, features.0 … features.12.
 * Source: Iandola et al., "SqueezeNet", 2016, version 1.1, as torchvision has it.
 */
export const squeezenet: Backbone = {
  name: "squeezenet",
  source: "Iandola et al. 2016, torchvision's squeezenet1_1",
  mark: "features.12.squeeze.weight",
  taps: (ask, x) => {
    const fire = (index: number, h: Node, squeeze: number, expand: number) =>
      fireModule(ask, `features.${index}`, h, { squeeze, expand });
    const first = convRelu(ask, "features.0", x, { channels: 64, kernel: 3, stride: 2 });
    const second = fire(4, fire(3, halvedUp(first), 16, 64), 16, 64);
    const third = fire(7, fire(6, halvedUp(second), 32, 128), 32, 128);
    const fourth = fire(9, halvedUp(third), 48, 192);
    const fifth = fire(10, fourth, 48, 192);
    const sixth = fire(11, fifth, 64, 256);
    return [first, second, third, fourth, fifth, sixth, fire(12, sixth, 64, 256)];
  },
};

/** All backbones that LPIPS weights are read for. */
export const BACKBONES: readonly Backbone[] = [alexnet, squeezenet];

interface ConvShape {
  readonly channels: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: number;
}

function convRelu(ask: Ask, name: string, x: Node, { channels, kernel, stride = 1, padding = 0 }: ConvShape): Node {
  const weight = ask(`${name}.weight`, [channels, x.shape[1]!, kernel, kernel]);
  return relu(conv2d(x, weight, ask(`${name}.bias`, [channels]), { stride, padding }));
}

/** 1×1 to few channels, then 1×1 and 3×3 beside each other: x [M,I,H,W] → [M,2·expand,H,W]. */
function fireModule(ask: Ask, name: string, x: Node, { squeeze, expand }: { squeeze: number; expand: number }): Node {
  const few = convRelu(ask, `${name}.squeeze`, x, { channels: squeeze, kernel: 1 });
  const narrow = convRelu(ask, `${name}.expand1x1`, few, { channels: expand, kernel: 1 });
  const wide = convRelu(ask, `${name}.expand3x3`, few, { channels: expand, kernel: 3, padding: 1 });
  return concat([narrow, wide], 1);
}

/** Max-pooling 3 × 3 by 2: H → ⌊(H − 3)/2⌋ + 1. */
function halved(x: Node): Node {
  return maxPool(x, { kernel: [3, 3], stride: [2, 2], padding: [0, 0] });
}

/** The same with H → ⌈(H − 3)/2⌉ + 1: x ≥ 0, so the zeros that fill up the last window change no maximum. */
function halvedUp(x: Node): Node {
  const missing = (n: number) => (n % 2 === 0 ? 1 : 0);
  return halved(pad(x, [0, 0, 0, 0], [0, 0, missing(x.shape[2]!), missing(x.shape[3]!)]));
}
