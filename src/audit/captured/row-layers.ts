import { input, type Node } from "../../graph/index.ts";
import { inputsFor, type Model } from "../../nn/index.ts";

/**
 * The linear layers that take one row an image, by the names of their weights [O,I], in the model's order.
 *
 * Only their gradients' rank is bounded by the number of images: a layer that takes tokens or pixels sums over them all.
 */
export function rowLayers(model: Model): string[] {
  const params = inputsFor(model.params, "");
  const { logits } = model.forward({
    params,
    buffers: inputsFor(model.buffers, "buffer "),
    x: input("the images", [BATCH, ...model.inputShape]),
    mode: "eval",
  });
  const [once, more] = [new Set<Node>(), new Set<Node>()];
  const seen = new Set<Node>();
  const open = [logits];
  for (let node = open.pop(); node; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    open.push(...node.inputs);
    if (node.op.name !== "matmul") continue;
    const [left, right] = node.inputs as [Node, Node];
    const weight = right.op.name === "transpose" ? right.inputs[0]! : right;
    const perImage = left.shape.length === 2 && left.shape[0] === BATCH;
    (perImage ? once : more).add(weight);
  }
  const weights = model.params.filter(({ name, shape }) => shape.length === 2 && once.has(params[name]!));
  return weights.map(({ name }) => name).filter((name) => !more.has(params[name]!));
}

const BATCH = 7; // no usual number of tokens, so that rows of 7 are images
