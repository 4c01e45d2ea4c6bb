import { type Conv, input, type Node } from "../../graph/index.ts";
import { inputsFor, type Model } from "../../nn/index.ts";

/** One layer of a network that is a plain sequence; weights and biases are named, not held. */
export type Layer =
  | {
      readonly kind: "linear";
      /** [O,I] */
      readonly weight: string;
      readonly bias?: string;
    }
  | {
      readonly kind: "conv";
      /** [O,I/G,Kh,Kw] */
      readonly weight: string;
      readonly bias?: string;
      readonly attrs: Conv;
      /** [I,H,W] */
      readonly from: readonly number[];
      /** [O,Ho,Wo] */
      readonly to: readonly number[];
    }
  | { readonly kind: "activation"; readonly of: "relu" | "sigmoid" | "tanh" }
  /** a where a ≥ 0, else slope·a */
  | { readonly kind: "activation"; readonly of: "leaky-relu"; readonly slope: number };

/** The layers from the image to the logits, or why the network is no such sequence, in words that follow "the model has". */
export type Sequence = { readonly layers: readonly Layer[] } | { readonly obstacle: string };

/**
 * A model read back from its graph as a sequence of convolutions, linear layers and activations.
 *
 * Flattening is left out, since it moves no value. Whatever else stands between image and logits is the obstacle:
 * BatchNorm, pooling, a skip connection, another op.
 */
export function layersOf(model: Model): Sequence {
  if (model.buffers.length > 0) return { obstacle: "BatchNorm" };
  const { x, logits, parameterOf } = traced(model);
  const layers: Layer[] = [];
  for (let node = logits; node !== x; ) {
    const found = readLayer(node, parameterOf);
    if ("obstacle" in found) return found;
    if (found.layer) layers.unshift(found.layer);
    node = found.before;
  }
  return { layers };
}

/** A linear layer that the flattened image goes into. */
export interface FirstLinear {
  /** [O,C·H·W] */
  readonly weight: string;
  readonly bias?: string;
  /** Whether a ReLU follows, so that units can be silent for an image. */
  readonly sparse: boolean;
}

/** The linear layer into which the flattened image goes, if it goes nowhere else, whatever follows. */
export function firstLinear(model: Model): FirstLinear | undefined {
  const { x, logits, parameterOf } = traced(model);
  const users = usersOf(logits);
  const onlyUser = (node: Node) => {
    const found = users.get(node) ?? [];
    return found.length === 1 ? found[0] : undefined;
  };
  let image = x;
  let user = onlyUser(image);
  for (; user && flattens(user); user = onlyUser(image)) image = user;
  if (user?.op.name !== "matmul") return undefined;
  const sum = onlyUser(user);
  const whole = sum?.op.name === "add" ? sum : user;
  const found = readLinear(whole, parameterOf);
  if (found?.before !== image) return undefined;
  const { weight, bias } = found.layer;
  return { weight, ...(bias !== undefined && { bias }), sparse: onlyUser(whole)?.op.name === "relu" };
}

type Read = { readonly before: Node; readonly layer?: Layer } | { readonly obstacle: string };
type ParameterOf = (node: Node) => string | undefined;

const BATCH = 2; // so that a bias is broadcast over the batch and cannot be taken for a row of it

function traced(model: Model): { x: Node; logits: Node; parameterOf: ParameterOf } {
  const params = inputsFor(model.params, "");
  const names = new Map(Object.entries(params).map(([name, node]) => [node, name]));
  const x = input("the image", [BATCH, ...model.inputShape]);
  const { logits } = model.forward({ params, buffers: inputsFor(model.buffers, "buffer "), x, mode: "eval" });
  return { x, logits, parameterOf: (node) => names.get(node) };
}

function readLayer(node: Node, parameterOf: ParameterOf): Read {
  const { name } = node.op;
  if (flattens(node)) return { before: node.inputs[0]! };
  if (name === "relu" || name === "sigmoid" || name === "tanh") {
    return { before: node.inputs[0]!, layer: { kind: "activation", of: name } };
  }
  return (
    readLeakyRelu(node) ??
    readLinear(node, parameterOf) ??
    readConv(node, parameterOf) ?? { obstacle: OBSTACLES[name] ?? `a step that is not understood (${name})` }
  );
}

/** What an op that stands in the way is, most likely. */
const OBSTACLES: Readonly<Record<string, string>> = {
  gather: "max-pooling",
  mul: "pooling, or a scaling between its layers",
  sum: "pooling",
  reshape: "pooling, or pixels that are moved around,",
  add: "a skip connection",
};

function flattens({ op, shape, inputs }: Node): boolean {
  return op.name === "reshape" && shape[0] === BATCH && inputs[0]!.shape[0] === BATCH;
}

/** maximum(a, slope·a) */
function readLeakyRelu(node: Node): { before: Node; layer: Layer } | undefined {
  if (node.op.name !== "maximum") return undefined;
  const [a, b] = node.inputs as [Node, Node];
  for (const [before, scaled] of [[a, b] as const, [b, a] as const]) {
    const other = scaled.op.name === "mul" ? scaled.inputs.find((x) => x !== before) : undefined;
    const factor = other && unspread(other);
    if (factor?.op.name === "scalar" && scaled.inputs.includes(before)) {
      const slope = Number((factor.attrs as { readonly value: number }).value);
      return { before, layer: { kind: "activation", of: "leaky-relu", slope } };
    }
  }
  return undefined;
}

function readLinear(node: Node, parameterOf: ParameterOf) {
  const { core, bias } = withoutBias(node, parameterOf);
  if (core.op.name !== "matmul") return undefined;
  const [before, right] = core.inputs as [Node, Node];
  const weight = right.op.name === "transpose" ? parameterOf(right.inputs[0]!) : undefined;
  return weight === undefined ? undefined : { before, layer: { kind: "linear" as const, weight, ...bias } };
}

function readConv(node: Node, parameterOf: ParameterOf) {
  const { core, bias } = withoutBias(node, parameterOf);
  if (core.op.name !== "conv") return undefined;
  const [before, kernel] = core.inputs as [Node, Node];
  const weight = parameterOf(kernel);
  if (weight === undefined) return undefined;
  const shapes = { from: before.shape.slice(1), to: core.shape.slice(1) };
  return { before, layer: { kind: "conv", weight, ...bias, attrs: core.attrs as Conv, ...shapes } as const };
}

/** y + bias as y and the bias, whose one axis is that of the channels; any other node as it is. */
function withoutBias(node: Node, parameterOf: ParameterOf): { core: Node; bias: { readonly bias?: string } } {
  if (node.op.name !== "add") return { core: node, bias: {} };
  const [a, b] = node.inputs as [Node, Node];
  for (const [core, spread] of [[a, b] as const, [b, a] as const]) {
    const narrow = unspread(spread);
    const bias = parameterOf(narrow);
    if (bias !== undefined && narrow.shape.length === 1) return { core, bias: { bias } };
  }
  return { core: node, bias: {} };
}

/** The node under broadcasts and reshapes. */
function unspread(node: Node): Node {
  return node.op.name === "broadcast" || node.op.name === "reshape" ? unspread(node.inputs[0]!) : node;
}

function usersOf(output: Node): Map<Node, Node[]> {
  const users = new Map<Node, Node[]>();
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    for (const before of new Set(node.inputs)) {
      users.set(before, [...(users.get(before) ?? []), node]);
      visit(before);
    }
  };
  visit(output);
  return users;
}
