import { z } from "zod";
import { type Node, reshape } from "../graph/index.ts";
import { activate, defineModel, linearLayer, type Scope } from "../nn/index.ts";
import { defineFamily, type ModelFamily } from "./family.ts";
import { activation, atLeastOr, classifier } from "./options.ts";

/**
 * A fully connected network: x [B,C,H,W] flattened → three hidden layers of `hidden` units → [B,N].
 *
 * Parameters net.0, net.2, net.4, net.6; the odd modules are the activations.
 * Source: the three-layer net of the FedLeak paper (Section 3, Table 11), which states no width.
 */
export const mlp3: ModelFamily = defineFamily({
  name: "mlp3",
  about: "fully connected, three hidden layers",
  source: "FedLeak paper, Section 3; the width is our choice",
  schema: z.strictObject({ ...classifier, hidden: atLeastOr(1, 512), activation }), // 512: our choice
  build: (options) => {
    const { inputShape, classes, hidden } = options;
    const features = (net: Scope, x: Node) => {
      const layer = (name: string, h: Node) => activate(net, options.activation, linearLayer(net.at(name), h, hidden));
      const flat = reshape(x, [x.shape[0]!, -1]);
      return layer("net.4", layer("net.2", layer("net.0", flat)));
    };
    return defineModel({ name: "mlp3", options, inputShape, classes, head: "net.6", features });
  },
});
