import { z } from "zod";
import { type Node, reshape } from "../graph/index.ts";
import { activate, convLayer, defineModel, type Model, type Scope, uniformInit } from "../nn/index.ts";
import { defineFamily, type ModelFamily } from "./family.ts";
import { classifier, needSize } from "./options.ts";

const CHANNELS = 12; // of each convolution, as DLG's code
const DLG_BOUND = 0.5; // DLG's code draws every weight and bias from U(−0.5, 0.5)

/**
 * The network of DLG: three 5×5 convolutions of 12 channels, strides 2, 2, 1, a sigmoid after each; one linear layer.
 *
 * x [B,C,H,W], H, W ≥ 4 → [B,N]. Parameters body.0, body.2, body.4, fc.0. Option init: "torch", PyTorch's default, or
 * "dlg-uniform", DLG's U(−0.5, 0.5).
 * Source: Zhu et al., "Deep leakage from gradients", NeurIPS 2019, and its published code.
 */
export const lenetSigmoid: ModelFamily = defineFamily({
  name: "lenet-sigmoid",
  about: "three 5×5 convolutions with sigmoids, the net of DLG",
  source: "Zhu et al. 2019 (DLG)",
  schema: z.strictObject({
    ...classifier,
    init: z.enum(["torch", "dlg-uniform"]).default("torch").describe("torch or dlg-uniform"),
    activation: z.literal("sigmoid").default("sigmoid").describe("sigmoid, as the model's name says"),
  }),
  build: (options) => {
    const { inputShape, classes } = options;
    needSize("model lenet-sigmoid", inputShape, 4);
    const features = (net: Scope, x: Node) => {
      const layer = (name: string, h: Node, stride: number) => {
        const y = convLayer(net.at(name), h, { channels: CHANNELS, kernel: 5, stride, padding: 2 });
        return activate(net, options.activation, y);
      };
      const h = layer("body.4", layer("body.2", layer("body.0", x, 2), 2), 1); // [B,12,⌈H/4⌉,⌈W/4⌉]
      return reshape(h, [x.shape[0]!, -1]);
    };
    const model = defineModel({ name: "lenet-sigmoid", options, inputShape, classes, head: "fc.0", features });
    return options.init === "torch" ? model : drawnUniformly(model);
  },
});

function drawnUniformly(model: Model): Model {
  return { ...model, params: model.params.map((spec) => ({ ...spec, init: uniformInit(DLG_BOUND) })) };
}
