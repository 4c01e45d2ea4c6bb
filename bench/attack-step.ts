import { abs, add, crossEntropy, div, dot, grad, input, mul, type Node, sqrt, sub, sum } from "../src/graph/index.ts";
import { initialise, inputsFor, type Mode, type Model } from "../src/nn/index.ts";
import { float32, sizeOf, type Tensors } from "../src/tensor/index.ts";
import { key, uniform } from "../src/util/index.ts";

/** Three graphs of growing cost over one network, and what to feed and bake. */
export interface StepGraphs {
  readonly forward: Readonly<Record<string, Node>>;
  readonly gradient: Readonly<Record<string, Node>>;
  /** Gradient, L1 + cosine distance to a stored gradient, and its gradient by the batch: second order. */
  readonly step: Readonly<Record<string, Node>>;
  /** Weights, target and labels; made anew by each call, so that nobody keeps them once they are in a program. */
  bake(): Tensors;
  readonly feeds: Tensors;
}

/**
 * One attack step as the peer script defines it: mean cross-entropy, distance Σ|g′−ĝ|/n + 1 − cos(g′,ĝ) over all
 * parameters jointly, and its gradient by the candidate batch x [B,C,H,W].
 */
export function attackStep(model: Model, batch: number, mode: Mode): StepGraphs {
  const x = input("x", [batch, ...model.inputShape]);
  const y = input("y", [batch, model.classes]);
  const params = inputsFor(model.params, "param.");
  const buffers = inputsFor(model.buffers, "buffer.");
  const { logits } = model.forward({ params, buffers, x, mode });
  const gradients = grad(crossEntropy(logits, y), Object.values(params));
  const targets = model.params.map(({ name, shape }) => input(`target.${name}`, shape));
  const distance = l1AndCosine(gradients, targets);
  const prefixed = (prefix: string, tensors: Tensors) =>
    Object.fromEntries(Object.entries(tensors).map(([name, t]) => [prefix + name, t]));
  return {
    forward: { logits },
    gradient: Object.fromEntries(gradients.map((g, i) => [`g${i}`, g])),
    step: { distance, dx: grad(distance, [x])[0]! },
    bake: () => {
      const weights = initialise(model, key(0));
      return {
        ...prefixed("param.", weights.params),
        ...prefixed("buffer.", weights.buffers),
        ...prefixed("target.", initialise(model, key(1)).params),
        y: oneHot(batch, model.classes),
      };
    },
    feeds: { x: float32(x.shape, uniform(key(2), sizeOf(x.shape))) },
  };
}

function l1AndCosine(as: readonly Node[], bs: readonly Node[]): Node {
  const total = (term: (a: Node, b: Node) => Node) => as.map((a, i) => term(a, bs[i]!)).reduce(add);
  const count = as.reduce((n, a) => n + sizeOf(a.shape), 0);
  const l1 = mul(
    total((a, b) => sum(abs(sub(a, b)))),
    1 / count,
  );
  const norms = mul(sqrt(total((a) => dot(a, a))), sqrt(total((_, b) => dot(b, b))));
  return add(l1, sub(1, div(total(dot), norms)));
}

function oneHot(batch: number, classes: number) {
  const rows = new Float32Array(batch * classes);
  for (let b = 0; b < batch; b++) rows[b * classes + (b % classes)] = 1;
  return float32([batch, classes], rows);
}
