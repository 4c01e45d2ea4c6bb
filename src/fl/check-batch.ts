import type { Model } from "../nn/index.ts";
import { shapeText, type Tensor } from "../tensor/index.ts";
import { fail } from "../util/index.ts";

/** Complains when a batch is empty, has not one label an image, is not of the size wanted, or its labels are no classes of the model. */
export function checkBatch(
  {
    model,
    images,
    labels,
  }: { readonly model: Model; readonly images: Tensor<"float32">; readonly labels: readonly number[] },
  batchSize = labels.length,
): void {
  if (labels.length === 0 || images.shape[0] !== labels.length || labels.length !== batchSize) {
    fail({
      who: "client",
      must:
        batchSize === labels.length
          ? "there must be one label an image, and at least one image"
          : `the batch must have the ${batchSize} images that the step was compiled for, with a label each`,
      got: `images ${shapeText(images.shape)} and ${labels.length} labels`,
      remedy: "Pass both of one batch.",
    });
  }
  const wrong = labels.find((label) => !Number.isInteger(label) || label < 0 || label >= model.classes);
  if (wrong !== undefined) {
    fail({
      who: "client",
      must: `labels must be integers in 0 … ${model.classes - 1}, the classes of model ${model.name}`,
      got: `${wrong}`,
      remedy: "Build the model with the number of classes of the data.",
    });
  }
}
