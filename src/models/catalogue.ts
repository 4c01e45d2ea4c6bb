import type { Model } from "../nn/index.ts";
import { unknownName } from "../util/index.ts";
import { convnet } from "./convnet.ts";
import { densenet121 } from "./densenet.ts";
import type { ModelFamily } from "./family.ts";
import { lenetSigmoid } from "./lenet.ts";
import { mlp3 } from "./mlp.ts";
import { mobilenetV2 } from "./mobilenet.ts";
import { cifarResNet, imageNetResNet } from "./resnet.ts";
import { vit } from "./vit.ts";

/** All architectures by name. */
export const MODELS: Readonly<Record<string, ModelFamily>> = {
  mlp3,
  "lenet-sigmoid": lenetSigmoid,
  convnet,
  resnet10: cifarResNet("resnet10", [1, 1, 1, 1]),
  "resnet10-x3": cifarResNet("resnet10-x3", [1, 1, 1, 1], 192), // three times the width: FedLeak
  "resnet10-x5": cifarResNet("resnet10-x5", [1, 1, 1, 1], 320),
  resnet18: cifarResNet("resnet18", [2, 2, 2, 2]),
  resnet34: cifarResNet("resnet34", [3, 4, 6, 3]),
  "resnet18-imagenet": imageNetResNet("resnet18-imagenet", [2, 2, 2, 2]),
  "resnet34-imagenet": imageNetResNet("resnet34-imagenet", [3, 4, 6, 3]),
  densenet121,
  "mobilenet-v2": mobilenetV2,
  "vit-tiny": vit("vit-tiny", { width: 192, heads: 3 }), // Touvron et al. 2021, table 1
  "vit-small": vit("vit-small", { width: 384, heads: 6 }), // likewise
  "vit-base": vit("vit-base", { width: 768, heads: 12 }), // Dosovitskiy et al. 2021, table 1
};

/** The model `name` with these options; throws FedleakError, with a suggestion, when either is not known. */
export function buildModel(name: string, options: Readonly<Record<string, unknown>>): Model {
  if (!Object.hasOwn(MODELS, name)) return unknownName("model", "name", name, Object.keys(MODELS));
  return MODELS[name]!.build(options);
}
