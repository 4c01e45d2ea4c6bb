import { input, mul, type Node, sub } from "../graph/index.ts";
import { float32, type Shape, sizeOf, type Tensors } from "../tensor/index.ts";
import { fail } from "../util/index.ts";

/** Nodes by name: variables, gradients, moments. */
export type Nodes = Readonly<Record<string, Node>>;

/** What a transform sees of one step. `updates`, `variables` and the state share the variables' shapes. */
export interface TransformStep {
  /** By variable name: gradients at the chain's start, later whatever the transforms before made of them. */
  readonly updates: Nodes;
  readonly variables: Nodes;
  /** By `${slot}.${variable}`. */
  readonly state: Nodes;
  /** Numbers that the host works out for each step, shape [], by the names of `Transform.scalars`. */
  readonly scalars: Nodes;
}

/**
 * One rule that turns gradients into updates, as a graph transform. It holds no numbers: its memory is the tensors
 * `${slot}.${variable}`, kept by the caller, and what depends on the step count arrives through scalar inputs.
 */
export interface Transform {
  readonly name: string;
  /** Memory per variable, a tensor of the variable's shape each, zero before the first step. */
  readonly slots: readonly string[];
  /** The scalar inputs' values at step t = 1, 2, …; the same names at each t. */
  scalars(t: number): Readonly<Record<string, number>>;
  apply(step: TransformStep): { readonly updates: Nodes; readonly state: Nodes };
}

/**
 * Transforms one after the other: the updates of each are the gradients of the next.
 *
 * Throws FedleakError when two of them would keep their memory under one name.
 */
export function chain(...transforms: readonly Transform[]): Transform {
  const slots = transforms.flatMap((transform) => transform.slots);
  const twice = slots.find((slot, i) => slots.indexOf(slot) !== i);
  if (twice !== undefined) {
    fail({
      who: "chain",
      must: "each slot must belong to one transform",
      got: `"${twice}" twice`,
      remedy: "Use the transform once.",
    });
  }
  return {
    name: transforms.map((transform) => transform.name).join(" → "),
    slots,
    scalars: (t) => Object.assign({}, ...transforms.map((transform) => transform.scalars(t))),
    apply: (step) =>
      transforms.reduce(
        (sofar, transform) => {
          const { updates, state } = transform.apply({ ...step, updates: sofar.updates });
          return { updates, state: { ...sofar.state, ...state } };
        },
        { updates: step.updates, state: {} as Nodes },
      ),
  };
}

/** A step of gradient descent, but for the transform that shapes it. */
export interface Descent {
  readonly transform: Transform;
  readonly variables: Nodes;
  /** Of the variables' names and shapes. */
  readonly gradients: Nodes;
  readonly state: Nodes;
  readonly scalars: Nodes;
  /** Shape []. */
  readonly learningRate: Node;
}

/** One step: x ← x − learningRate · transform(gradient). Result: the new variables and the new memory, as nodes. */
export function descend(step: Descent): { readonly variables: Nodes; readonly state: Nodes } {
  const { transform, variables, gradients, learningRate } = step;
  const { updates, state } = transform.apply({ ...step, updates: gradients });
  return {
    variables: mapNodes(variables, (x, name) => sub(x, mul(learningRate, updates[name]!))),
    state,
  };
}

/** A transform's memory before the first step: zeros, named `${slot}.${variable}`. */
export function zeroState(transform: Transform, variables: Readonly<Record<string, Shape>>): Tensors<"float32"> {
  return Object.fromEntries(
    transform.slots.flatMap((slot) =>
      Object.entries(variables).map(([name, shape]) => [
        `${slot}.${name}`,
        float32(shape, new Float32Array(sizeOf(shape))),
      ]),
    ),
  );
}

/** The input nodes of a transform's scalars, shape [] each. */
export function scalarInputs(transform: Transform): Nodes {
  return Object.fromEntries(Object.keys(transform.scalars(1)).map((name) => [name, input(name, [])]));
}

/** The nodes of one slot by variable name: `adam.m.x` → `x`. */
export function slotOf(state: Nodes, slot: string, variables: Nodes): Nodes {
  return mapNodes(variables, (_, name) => {
    const node = state[`${slot}.${name}`];
    return (
      node ??
      fail({
        who: slot,
        must: `state must hold "${slot}.${name}"`,
        got: Object.keys(state).join(", ") || "no state",
        remedy: "Start from zeroState.",
      })
    );
  });
}

/** Nodes of one slot under their state names: `x` → `adam.m.x`. */
export function named(slot: string, nodes: Nodes): Nodes {
  return Object.fromEntries(Object.entries(nodes).map(([name, node]) => [`${slot}.${name}`, node]));
}

/** A node for each name. */
export function mapNodes(nodes: Nodes, make: (node: Node, name: string) => Node): Nodes {
  return Object.fromEntries(Object.entries(nodes).map(([name, node]) => [name, make(node, name)]));
}
