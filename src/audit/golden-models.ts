import { buildModel } from "../models/index.ts";
import type { Model } from "../nn/index.ts";
import { type Shape, shapeText, type Tensors } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { goldenTensor } from "./golden-tensor.ts";

/** The model a golden file was computed with; its options are read off the shapes of the file's tensors. */
export function goldenModel(name: string, tensors: Tensors): Model {
  const build = Object.hasOwn(BUILDERS, name) ? BUILDERS[name] : undefined;
  if (!build) {
    return fail({
      who: "verify",
      must: `the golden file's model must be one of ${Object.keys(BUILDERS).join(", ")}`,
      got: `"${name}"`,
      remedy: "This program has no such model yet: verify a file of a listed one.",
    });
  }
  const extent = (tensor: string, axis: number) => shapeOf(tensors, tensor)[axis];
  const common = { inputShape: shapeOf(tensors, "x").slice(1), classes: extent("logits", 1) };
  const model = build(common, extent);
  for (const spec of [...model.params.map(prefixed("param.")), ...model.buffers.map(prefixed("buffer."))]) {
    const shape = shapeText(shapeOf(tensors, spec.name));
    if (shape !== shapeText(spec.shape)) {
      fail({
        who: "verify",
        must: `"${spec.name}" of ${model.name} must have the shape ${shapeText(spec.shape)}`,
        got: shape,
        remedy: "Check that the file belongs to the model it names.",
      });
    }
  }
  return model;
}

type Common = { readonly inputShape: Shape; readonly classes: number | undefined };
type Extent = (tensor: string, axis: number) => number | undefined;
type Build = (common: Common, extent: Extent) => Model;

const mlp3: Build = (common, extent) => buildModel("mlp3", { ...common, hidden: extent("param.net.0.weight", 0) });
const lenet: Build = (common) => buildModel("lenet-sigmoid", common);
const resNet =
  (name: string, activation: "relu" | "sigmoid"): Build =>
  (common, extent) =>
    buildModel(name, { ...common, activation, width: extent("param.conv1.weight", 0) });

const denseNet: Build = (common, extent) => {
  const growth = extent("param.features.denseblock1.denselayer1.conv2.weight", 0)!;
  return buildModel("densenet121", {
    ...common,
    growth,
    width: extent("param.features.conv0.weight", 0),
    bottleneck: extent("param.features.denseblock1.denselayer1.conv1.weight", 0)! / growth,
    blocks: [2, 3, 4, 2], // of both golden files
  });
};
const mobileNet: Build = (common) => buildModel("mobilenet-v2", { ...common, widthMultiplier: 0.25 }); // the file's
const visionTransformer: Build = (common, extent) =>
  buildModel("vit-tiny", {
    ...common,
    patch: extent("param.conv_proj.weight", 2),
    width: extent("param.conv_proj.weight", 0),
    hidden: extent("param.encoder.layers.encoder_layer_0.mlp.0.weight", 0),
    ...{ depth: 2, heads: 2 }, // the file's
  });

/** The names the golden files give their models. */
const BUILDERS: Readonly<Record<string, Build>> = {
  mlp3,
  "lenet-sigmoid": lenet,
  "resnet10-train": resNet("resnet10", "relu"),
  "resnet10-eval": resNet("resnet10", "relu"),
  "resnet10-sigmoid": resNet("resnet10", "sigmoid"),
  "resnet18-tv-train": resNet("resnet18-imagenet", "relu"),
  "resnet18-tv-eval": resNet("resnet18-imagenet", "relu"),
  "densenet-tv-eval": denseNet,
  "densenet-tv-train": denseNet,
  "mobilenet_v2-tv-train": mobileNet,
  "vit-tv": visionTransformer,
};

function prefixed(prefix: string) {
  return ({ name, shape }: { readonly name: string; readonly shape: Shape }) => ({
    name: prefix + name,
    shape,
  });
}

function shapeOf(tensors: Tensors, name: string): Shape {
  return goldenTensor(tensors, name).shape;
}
