import type { Observation } from "../../fl/index.ts";
import type { Model } from "../../nn/index.ts";
import { firstLinear, type Layer, layersOf } from "./layers.ts";

/** The attacks that solve for images instead of searching. */
export const CLOSED_FORMS = ["linear-leak", "r-gap"] as const;

export type ClosedForm = (typeof CLOSED_FORMS)[number];

/** Why a closed form does not apply to what a server sees of this model, in plain words; undefined when it does. */
export function whyNot(
  method: ClosedForm,
  model: Model,
  observation: Pick<Observation, "batchSize" | "labels">,
): string | undefined {
  const batchSize = observation.batchSize ?? observation.labels?.length;
  return method === "linear-leak" ? whyNoLeak(model, batchSize) : whyNoRecursion(model, batchSize);
}

function whyNoLeak(model: Model, batchSize: number | undefined): string | undefined {
  const layer = firstLinear(model);
  if (!layer) return `the image does not go straight into a linear layer in ${model.name}`;
  if (layer.bias === undefined) return `the first layer (${layer.weight}) has no bias`;
  if (batchSize === 1 || layer.sparse) return undefined;
  return (
    `each unit of the first layer mixes ${batchSize === undefined ? "all" : `all ${batchSize}`} images of the batch: ` +
    "only a ReLU is silent for some of them"
  );
}

function whyNoRecursion(model: Model, batchSize: number | undefined): string | undefined {
  if (batchSize !== 1) {
    return `it solves for one image, and the batch has ${batchSize === undefined ? "an unknown number" : batchSize}`;
  }
  const read = layersOf(model);
  if ("obstacle" in read)
    return `${model.name} has ${read.obstacle}: it is no plain sequence of layers that can be undone`;
  const head = read.layers.at(-1);
  if (head?.kind !== "linear" || head.bias === undefined)
    return `the last layer of ${model.name} is not linear with bias`;
  return whyFewer(read.layers, model);
}

/** Where a convolution's input has more unknowns than weights and outputs give equations (R-GAP's rank analysis). */
function whyFewer(layers: readonly Layer[], { params }: Model): string | undefined {
  for (const layer of layers) {
    if (layer.kind !== "conv") continue;
    const kernel = params.find(({ name }) => name === layer.weight)!.shape;
    const equations = product(layer.to) + product(kernel);
    const unknowns = product(layer.from);
    if (equations < unknowns) {
      return `${layer.weight} gives ${equations} equations for the ${unknowns} values that go into it`;
    }
  }
  return undefined;
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
