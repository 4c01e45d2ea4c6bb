import {
  abs,
  add,
  crossEntropy,
  div,
  grad,
  input,
  mul,
  type Node,
  sqrt,
  square,
  sub,
  sum,
  totalVariation,
} from "../graph/index.ts";
import { countElements, inputsFor, type Mode, type Model } from "../nn/index.ts";
import { float32, numbers, type Shape, type Tensor, type Tensors } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { goldenTensor } from "./golden-tensor.ts";

const TV_WEIGHT = 1e-2; // of the golden files' total distance

/** One attack step as golden files define it: a node for each number they hold, by their names. imagesShape: [B,C,H,W]. */
export function goldenStep(model: Model, mode: Mode, imagesShape: Shape): Record<string, Node> {
  const params = inputsFor(model.params, "param.");
  const buffers = inputsFor(model.buffers, "buffer.");
  const y = input("y", [imagesShape[0]!, model.classes]);
  const weights = Object.values(params);
  const step = (x: Node) => {
    const { logits } = model.forward({ params, buffers, x, mode });
    const loss = crossEntropy(logits, y);
    return { logits, loss, gradients: grad(loss, weights) };
  };
  const named = (prefix: string, nodes: readonly Node[]) =>
    Object.fromEntries(model.params.map((spec, i) => [prefix + spec.name, nodes[i]!]));

  const candidate = input("dummy.x", imagesShape);
  const [truth, dummy] = [step(input("x", imagesShape)), step(candidate)];
  const shared = Object.values(inputsFor(model.params, "shared.")); // the file's own rounded gradient, as it used
  const l1 = meanAbsoluteDifference(dummy.gradients, shared);
  const cos = cosineDistance(dummy.gradients, shared);
  const tv = totalVariation(candidate);
  const total = add(add(l1, cos), mul(tv, TV_WEIGHT));
  return {
    logits: truth.logits,
    loss: truth.loss,
    ...named("grad.", truth.gradients),
    "dummy.logits": dummy.logits,
    "dummy.loss": dummy.loss,
    ...named("dummy.grad.", dummy.gradients),
    "dist.l1": l1,
    "dist.cos": cos,
    "dist.tv": tv,
    "dist.total": total,
    "dist.dx": grad(total, [candidate])[0]!,
  };
}

/** What `goldenStep` needs to be fed, from the tensors of a golden file. */
export function goldenFeeds(model: Model, tensors: Tensors): Tensors {
  const feeds: readonly (readonly [input: string, tensor: string])[] = [
    ["x", "x"],
    ["dummy.x", "dummy.x"],
    ...model.params.map(({ name }) => [`param.${name}`, `param.${name}`] as const),
    ...model.params.map(({ name }) => [`shared.${name}`, `grad.${name}`] as const),
    ...model.buffers.map(({ name }) => [`buffer.${name}`, `buffer.${name}`] as const),
  ];
  return {
    ...Object.fromEntries(feeds.map(([name, from]) => [name, goldenTensor(tensors, from)])),
    y: oneHot(goldenTensor(tensors, "y"), model.classes),
  };
}

function meanAbsoluteDifference(a: readonly Node[], b: readonly Node[]): Node {
  return div(addUp(a.map((node, i) => sum(abs(sub(node, b[i]!))))), countElements(a));
}

/** 1 − cos(a, b) as ½‖a/‖a‖ − b/‖b‖‖², which does not cancel in float32 when a and b are nearly parallel. */
function cosineDistance(a: readonly Node[], b: readonly Node[]): Node {
  const norm = (nodes: readonly Node[]) => sqrt(addUp(nodes.map((node) => sum(square(node)))));
  const [normA, normB] = [norm(a), norm(b)];
  const apart = a.map((node, i) => sum(square(sub(div(node, normA), div(b[i]!, normB)))));
  return mul(addUp(apart), 0.5);
}

function addUp(nodes: readonly Node[]): Node {
  return nodes.reduce((total, node) => add(total, node));
}

/** labels int [B] → [B,classes] */
function oneHot(labels: Tensor, classes: number): Tensor<"float32"> {
  const data = new Float32Array(labels.data.length * classes);
  numbers(labels).forEach((label, i) => {
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      fail({
        who: "verify",
        must: `every label in "y" must be a whole number from 0 to ${classes - 1}`,
        got: `${label}`,
        remedy: "Write the golden file again.",
      });
    }
    data[i * classes + label] = 1;
  });
  return float32([labels.data.length, classes], data);
}
