import { describe, input, type Node } from "../graph/index.ts";
import { type Shape, sameShape, sizeOf, type Tensors } from "../tensor/index.ts";
import { fail, type Key, split } from "../util/index.ts";
import { type LayerInits, linearLayer } from "./layers.ts";
import { type BatchStatistics, declare, type Mode, run, type Scope, type TensorSpec } from "./scope.ts";

export type ParamSpec = TensorSpec;
export type BufferSpec = TensorSpec;

/** What a model makes of a batch. */
export interface Forward {
  /** [B,N] */
  readonly logits: Node;
  /** The output of each nonlinearity, in the order of the network. */
  readonly activations: readonly Node[];
  /** [B,D], the input of the last linear layer. */
  readonly features: Node;
  /** What each BatchNorm saw, by module name; empty in eval mode. */
  readonly statistics: Readonly<Record<string, BatchStatistics>>;
}

export interface ForwardArgs {
  readonly params: Readonly<Record<string, Node>>;
  readonly buffers: Readonly<Record<string, Node>>;
  /** [B,C,H,W] */
  readonly x: Node;
  readonly mode: Mode;
}

/** A classifier: the tensors it needs and the graph it makes of them. It holds no values. */
export interface Model {
  readonly name: string;
  /** With `name` enough to build it again. */
  readonly options: Readonly<Record<string, unknown>>;
  /** [C,H,W] */
  readonly inputShape: readonly [number, number, number];
  readonly classes: number;
  readonly params: readonly ParamSpec[];
  readonly buffers: readonly BufferSpec[];
  /** The parameters of the last linear layer, from which labels are inferred. */
  readonly head: { readonly weight: string; readonly bias?: string };
  /** Throws when x, a parameter or a buffer does not have the shape this model needs. */
  forward(args: ForwardArgs): Forward;
}

export interface ModelDefinition {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly inputShape: readonly [number, number, number];
  readonly classes: number;
  /** The module name of the last linear layer. */
  readonly head: string;
  /** How that layer starts; PyTorch's default for a linear layer when not given. */
  readonly headInits?: LayerInits;
  /** Everything before it: x [B,C,H,W] → [B,D]. */
  readonly features: (scope: Scope, x: Node) => Node;
}

/** A model from the function that builds its features; a linear layer with bias turns them into logits. */
export function defineModel({ features, head, headInits, ...about }: ModelDefinition): Model {
  const network = (x: Node) => (scope: Scope) => {
    const h = features(scope, x);
    return { features: h, logits: linearLayer(scope.at(head), h, about.classes, headInits) };
  };
  return {
    ...about,
    ...declare(network(input("x", [2, ...about.inputShape]))), // any batch size does; BatchNorm needs two values
    head: { weight: `${head}.weight`, bias: `${head}.bias` },
    forward: ({ x, ...supplies }) => {
      needImages(about, x);
      const { result, activations, statistics } = run(network(x), supplies);
      return { ...result, activations, statistics };
    },
  };
}

/**
 * The first values of all parameters and buffers, from a key.
 *
 * Each tensor draws from split(key, its name), so its values depend neither on the order nor on the other tensors.
 */
export function initialise(
  { params, buffers }: { readonly params: readonly ParamSpec[]; readonly buffers: readonly BufferSpec[] },
  key: Key,
): { params: Tensors<"float32">; buffers: Tensors<"float32"> } {
  const values = (specs: readonly TensorSpec[]) =>
    Object.fromEntries(specs.map(({ name, shape, init }) => [name, init(shape, split(key, name))]));
  return { params: values(params), buffers: values(buffers) };
}

/** An input node for each tensor, called `prefix` + its name; keyed by its name alone. */
export function inputsFor(
  specs: readonly { readonly name: string; readonly shape: Shape }[],
  prefix: string,
): Record<string, Node> {
  return Object.fromEntries(specs.map(({ name, shape }) => [name, input(prefix + name, shape)]));
}

/** The number of elements of all tensors together. */
export function countElements(specs: readonly { readonly shape: Shape }[]): number {
  return specs.reduce((total, { shape }) => total + sizeOf(shape), 0);
}

function needImages({ name, inputShape }: Pick<Model, "name" | "inputShape">, x: Node): void {
  if (x.shape.length !== 4 || !sameShape(x.shape.slice(1), inputShape)) {
    fail({
      who: `model ${name}`,
      must: `x must be [B,${inputShape.join(",")}]`,
      got: describe(x),
      remedy: "Resize the images, or build the model with their inputShape.",
    });
  }
}
