import { type Shape, sameShape, shapeText, type Tensor } from "../tensor/index.ts";
import { fail } from "../util/index.ts";

/** Element kinds inside a graph: `float` is float32 in onnxruntime and float64 in the reference evaluator. */
export type Kind = "float" | "int" | "bool";

export type Attrs = Readonly<Record<string, unknown>>;

/** What an op's rule says of its result. */
export interface Signature {
  readonly shape: Shape;
  readonly kind: Kind;
}

/**
 * One operation: what it makes of shapes, and its vector-Jacobian product.
 *
 * `vjp` returns *nodes*, one cotangent an input (undefined where no gradient flows), so that a gradient is a graph
 * like any other and can be differentiated again.
 */
export interface Op<N extends string = string, A extends Attrs = Attrs> {
  readonly name: N;
  /** Shape and kind of the result; throws FedleakError when inputs or attributes do not fit. */
  rule(inputs: readonly Node[], attrs: A): Signature;
  /** The cotangents of `node.inputs`, given `g`, the cotangent of `node` (same shape as `node`). */
  vjp(g: Node, node: Node<A>): readonly (Node | undefined)[];
}

/** An immutable, hash-consed value in a graph: equal nodes are the same object. */
export interface Node<A extends Attrs = Attrs> extends Signature {
  /** Unique, and larger than the ids of its inputs: sorting by id is a topological order. */
  readonly id: number;
  readonly op: Op<string, A>;
  readonly inputs: readonly Node[];
  readonly attrs: A;
}

// The intern table is the one piece of module state. It is invisible: it only makes equal nodes the same object.
const interned = new Map<string, WeakRef<Node>>();
const forget = new FinalizationRegistry<string>((key) => {
  if (interned.get(key)?.deref() === undefined) interned.delete(key);
});
const tensorIds = new WeakMap<Tensor, number>();
let nextId = 0;

/** The node `op(inputs)` with `attrs`: the existing one if there is one, else a new one. Checks the op's rule. */
export function apply<A extends Attrs>(op: Op<string, A>, inputs: readonly Node[], attrs: A): Node<A> {
  const key = `${op.name}(${inputs.map((n) => n.id).join(",")})${keyOf(attrs)}`;
  const existing = interned.get(key)?.deref();
  if (existing) return existing as Node<A>;
  const signature = op.rule(inputs, attrs);
  const node: Node<A> = Object.freeze({ id: nextId++, op, inputs, attrs, ...signature });
  interned.set(key, new WeakRef<Node>(node as Node));
  forget.register(node, key);
  return node;
}

function keyOf(attrs: Attrs): string {
  return JSON.stringify(attrs, (_, value) => (isTensor(value) ? `tensor ${tensorId(value)}` : value));
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && "dtype" in value && "data" in value;
}

/** Constants are equal when they hold the same array object; their elements are not compared. */
function tensorId(t: Tensor): number {
  const known = tensorIds.get(t);
  if (known !== undefined) return known;
  const id = nextId++;
  tensorIds.set(t, id);
  return id;
}

/**
 * All nodes that `outputs` depend on, inputs before users: depth first, in the order of outputs and of inputs.
 *
 * The order follows from the graph alone. Ids would not do: they depend on which equal nodes an earlier graph left alive.
 */
export function topological(outputs: readonly Node[]): Node[] {
  const done = new Set<Node>();
  const pending = [...outputs].reverse();
  for (let node = pending.at(-1); node; node = pending.at(-1)) {
    const waiting = done.has(node) ? [] : node.inputs.filter((x) => !done.has(x));
    if (waiting.length > 0) {
      pending.push(...waiting.reverse());
    } else {
      done.add(node);
      pending.pop();
    }
  }
  return [...done];
}

/** Complains unless all `nodes` are of `kind`. */
export function needKind(who: string, kind: Kind, nodes: readonly Node[]): void {
  const wrong = nodes.find((n) => n.kind !== kind);
  if (wrong) fail({ who, must: `inputs must be of kind ${kind}`, got: describe(wrong), remedy: "Cast it first." });
}

/** Complains unless all `nodes` have one shape; returns it. */
export function needSameShape(who: string, nodes: readonly Node[]): Shape {
  const first = nodes[0]!;
  const wrong = nodes.find((n) => !sameShape(n.shape, first.shape));
  if (wrong) {
    fail({
      who,
      must: `all inputs must have the shape ${shapeText(first.shape)}`,
      got: describe(wrong),
      remedy: "Use broadcastTo or reshape first.",
    });
  }
  return first.shape;
}

/** Complains unless `node` has `rank` axes. */
export function needRank(who: string, what: string, node: Node, rank: number): void {
  if (node.shape.length !== rank) {
    fail({ who, must: `${what} must have ${rank} axes`, got: describe(node), remedy: "Reshape it first." });
  }
}

/** `float[2,3]`, as error messages and prints show a value. */
export function describe(node: Signature): string {
  return `${node.kind}${shapeText(node.shape)}`;
}
