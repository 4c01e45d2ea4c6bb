import { z } from "zod";
import { type Node, reshape } from "../graph/index.ts";
import { activate, convLayer, defineModel, type Scope } from "../nn/index.ts";
import { defineFamily, type ModelFamily } from "./family.ts";
import { activation, atLeastOr, classifier, needSize } from "./options.ts";

/** Output channels as a multiple of `width`, and stride, of each convolution; our choice, after R-GAP's CNN6. */
const LAYERS = [
  { widths: 1, stride: 2 },
  { widths: 3, stride: 2 },
  { widths: 3, stride: 1 },
  { widths: 5, stride: 2 },
] as const;

/**
 * A small convolutional network without pooling: four 3×3 convolutions, a nonlinearity after each, one linear layer.
 *
 * x [B,C,H,W], H, W ≥ 8 → [B,N]; channels width·(1, 3, 3, 5), strides 2, 2, 1, 2. Parameters conv1 … conv4, fc. Its
 * default leaky ReLU can be inverted, which closed-form attacks need.
 * Source: after the CNN6 of Zhu and Blaschko, "R-GAP: recursive gradient attack on privacy", ICLR 2021.
 * Differs (our choice): four convolutions where that has six, biases, all kernels 3×3.
 */
export const convnet: ModelFamily = defineFamily({
  name: "convnet",
  about: "four 3×3 convolutions without pooling, leaky relu unless told",
  source: "after Zhu and Blaschko 2021 (R-GAP); depth and widths are our choice",
  schema: z.strictObject({
    ...classifier,
    width: atLeastOr(1, 16), // our choice: R-GAP's CNN6 has 12, with which a 32×32 image is barely determined
    activation: activation.default("leaky-relu").describe(activation.description!),
  }),
  build: (options) => {
    const { inputShape, classes, width } = options;
    needSize("model convnet", inputShape, 8);
    const features = (net: Scope, x: Node) => {
      const h = LAYERS.reduce((before, { widths, stride }, i) => {
        const conv = { channels: widths * width, kernel: 3, stride, padding: 1 };
        return activate(net, options.activation, convLayer(net.at(`conv${i + 1}`), before, conv));
      }, x);
      return reshape(h, [x.shape[0]!, -1]); // [B, 5·width·⌈H/8⌉·⌈W/8⌉]
    };
    return defineModel({ name: "convnet", options, inputShape, classes, head: "fc", features });
  },
});
