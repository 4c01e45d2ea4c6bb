/**
 * Rewrites a graph into a cheaper one of the same value. Second derivatives of normalised networks are long sums of
 * products with per-channel factors; done as written they are many passes over whole activations.
 */
import { type Shape, sizeOf } from "../tensor/index.ts";
import { apply, type Node, topological } from "./node.ts";
import { add, broadcastTo, matmul, mul, neg, reshape, scalar, sub, sum, swapLast } from "./ops/verbs.ts";
import { joined } from "./tiles.ts";

/** The same outputs from fewer passes: like terms of sums are collected, and factors are taken out of sums over axes. */
export function simplify(outputs: readonly Node[]): Node[] {
  const nodes = topological(outputs);
  const users = usersOf(nodes);
  const inner = innerTerms(nodes, outputs, users);
  const done = new Map<Node, Node>();
  const simple = (node: Node): Node => done.get(node)!;
  for (const node of nodes) {
    if (inner.has(node)) continue;
    if (isSum(node)) done.set(node, collect(termsOf(node, inner), simple, node.shape));
    else if (node.op.name === "with-slope")
      done.set(node, simple(node.inputs[0]!)); // every derivative was taken
    else if (node.op.name === "mul") done.set(node, product(simple(node.inputs[0]!), simple(node.inputs[1]!)));
    else if (isTurned(node, users, outputs)) done.set(node, turned(simple(node.inputs[0]!)));
    else if (node.op.name === "sum") done.set(node, total(simple(node.inputs[0]!), node.attrs.axes as number[]));
    else done.set(node, node.inputs.length ? apply(node.op, node.inputs.map(simple), node.attrs) : node);
  }
  return outputs.map(simple);
}

function usersOf(nodes: readonly Node[]): ReadonlyMap<Node, readonly Node[]> {
  const users = new Map<Node, Node[]>();
  for (const node of nodes) {
    for (const x of node.inputs) {
      const known = users.get(x);
      if (known) known.push(node);
      else users.set(x, [node]);
    }
  }
  return users;
}

// ── Sums of terms ────────────────────────────────────────────────────────────────────────────────────────────────

type Term = { readonly sign: 1 | -1; readonly node: Node };

const SUMS = new Set(["add", "sub", "neg"]);
const isSum = (node: Node): boolean => SUMS.has(node.op.name);

/** The partial sums that one larger sum alone uses: they need not exist. */
function innerTerms(
  nodes: readonly Node[],
  outputs: readonly Node[],
  users: ReadonlyMap<Node, readonly Node[]>,
): ReadonlySet<Node> {
  const wanted = new Set(outputs);
  return new Set(
    nodes.filter((node) => {
      const by = users.get(node) ?? [];
      return isSum(node) && by.length === 1 && isSum(by[0]!) && !wanted.has(node);
    }),
  );
}

/** The signed terms of a sum, through partial sums that nobody else uses. */
function termsOf(node: Node, inner: ReadonlySet<Node>, sign: 1 | -1 = 1): Term[] {
  return node.inputs.flatMap((x, i) => {
    const own = node.op.name === "neg" || (node.op.name === "sub" && i === 1) ? (-sign as 1 | -1) : sign;
    return inner.has(x) ? termsOf(x, inner, own) : [{ sign: own, node: x }];
  });
}

/** Σ sign·term, with like terms x·a + x·b as x·(a + b), what is broadcast added up before it is spread, and pieces joined. */
function collect(terms: readonly Term[], simple: (node: Node) => Node, shape: Shape): Node {
  const like = new Map<Node | "spread" | "pieces", Term[]>();
  for (const { sign, node } of terms) {
    const term = simple(node);
    const shared = sign === 1 && term.op.name === "unslice" ? "pieces" : (scaled(term)?.core ?? term);
    const kind = term.op.name === "broadcast" ? "spread" : shared;
    like.set(kind, [...(like.get(kind) ?? []), { sign, node: term }]);
  }
  const merged = [...like].flatMap(([kind, group]): Term[] => {
    if (group.length === 1) return group;
    if (kind === "pieces") {
      const whole = joined(group.map(({ node }) => node));
      return whole ? [{ sign: 1, node: whole }] : group;
    }
    if (kind === "spread") return [{ sign: 1, node: broadcastTo(addUp(group.map(narrow)), shape) }];
    const factor = addUp(group.map(({ sign, node }) => ({ sign, node: scaled(node)?.factor ?? unit(shape.length) })));
    return [{ sign: 1, node: mul(kind, broadcastTo(factor, shape)) }];
  });
  return addUp(merged);
}

function addUp(terms: readonly Term[]): Node {
  const first = terms.find(({ sign }) => sign === 1);
  const rest = terms.filter((term) => term !== first);
  const start = first ? first.node : negated(rest.shift()!.node);
  return rest.reduce((sofar, { sign, node }) => (sign === 1 ? add(sofar, node) : sub(sofar, node)), start);
}

function narrow({ sign, node }: Term): Term {
  return { sign, node: node.inputs[0]! };
}

/** −x, and −(x·a) as x·(−a). */
function negated(x: Node): Node {
  const of = scaled(x);
  return of ? mul(of.core, broadcastTo(neg(of.factor), x.shape)) : neg(x);
}

/** a·b, and (x·a)·b as x·(a·b) for broadcast a and b, so that the small product is done first. */
function product(a: Node, b: Node): Node {
  const [spread, other] = a.op.name === "broadcast" ? [a, b] : [b, a];
  const of = scaled(other);
  if (!of || spread.op.name !== "broadcast") return mul(a, b);
  const factor = mul(of.factor, spread.inputs[0]!);
  return sizeOf(factor.shape) < sizeOf(other.shape) ? mul(of.core, broadcastTo(factor, other.shape)) : mul(a, b);
}

/** x·a with a broadcast a, as x and a before its broadcast. */
function scaled(node: Node): { readonly core: Node; readonly factor: Node } | undefined {
  const [a, b] = node.inputs;
  if (node.op.name !== "mul") return undefined;
  if (b!.op.name === "broadcast") return { core: a!, factor: b!.inputs[0]! };
  return a!.op.name === "broadcast" ? { core: b!, factor: a!.inputs[0]! } : undefined;
}

function unit(rank: number): Node {
  return reshape(scalar(1), new Array<number>(rank).fill(1));
}

// ── Sums over axes ───────────────────────────────────────────────────────────────────────────────────────────────

/** Σ over axes (kept with extent 1): Σ a·x = a·Σx for a that is the same along the axes, Σ(x ± y) = Σx ± Σy if that helps. */
function total(x: Node, axes: readonly number[]): Node {
  const real = axes.filter((axis) => x.shape[axis] !== 1);
  if (real.length === 0) return x;
  if (x.op.name === "broadcast") {
    const from = x.inputs[0]!;
    const spread = real.filter((axis) => from.shape[axis] === 1);
    if (spread.length > 0) {
      const count = spread.reduce((n, axis) => n * x.shape[axis]!, 1);
      const shape = x.shape.map((n, axis) => (spread.includes(axis) ? 1 : n));
      return total(mul(broadcastTo(from, shape), count), real);
    }
  }
  const { core, factor } = split(x, real);
  if (factor) return mul(total(core, real), factor);
  if ((x.op.name === "add" || x.op.name === "sub") && leaves(x).filter((leaf) => !folds(leaf, real)).length <= 2) {
    const [a, b] = x.inputs.map((part) => total(part, real)) as [Node, Node];
    return x.op.name === "add" ? add(a, b) : sub(a, b);
  }
  return sum(x, real, { keepDims: true });
}

const DEEPEST = 6; // products and sums looked into (our choice); without a bound shared ones would be walked again and again

/** x = core·factor, where factor is the same along the axes (extent 1); factor is undefined when there is none. */
function split(x: Node, axes: readonly number[], depth = DEEPEST): { readonly core: Node; readonly factor?: Node } {
  if (depth === 0) return { core: x };
  if (x.op.name === "neg") {
    const { core, factor } = split(x.inputs[0]!, axes, depth - 1);
    return { core, factor: factor ? neg(factor) : neg(unit(x.shape.length)) };
  }
  if (x.op.name !== "mul") return { core: x };
  const [a, b] = x.inputs as [Node, Node];
  if (isFlat(b, axes)) return withFactor(split(a, axes, depth - 1), b.inputs[0]!);
  if (isFlat(a, axes)) return withFactor(split(b, axes, depth - 1), a.inputs[0]!);
  const [p, q] = [split(a, axes, depth - 1), split(b, axes, depth - 1)];
  if (!p.factor && !q.factor) return { core: x };
  const core = mul(p.core, q.core);
  return { core, factor: p.factor && q.factor ? mul(p.factor, q.factor) : (p.factor ?? q.factor)! };
}

function withFactor({ core, factor }: { core: Node; factor?: Node }, more: Node): { core: Node; factor: Node } {
  return { core, factor: factor ? mul(factor, more) : more };
}

function isFlat(x: Node, axes: readonly number[]): boolean {
  return x.op.name === "broadcast" && axes.every((axis) => x.inputs[0]!.shape[axis] === 1);
}

/** Whether Σx over the axes needs no pass of its own, or one that other sums share. */
function folds(x: Node, axes: readonly number[]): boolean {
  if (x.op.name === "broadcast") return axes.some((axis) => x.inputs[0]!.shape[axis] === 1);
  return split(x, axes).factor !== undefined && sizeOf(x.shape) > 1;
}

function leaves(x: Node, depth = DEEPEST): Node[] {
  const inner = depth > 0 && (x.op.name === "add" || x.op.name === "sub");
  return inner ? x.inputs.flatMap((part) => leaves(part, depth - 1)) : [x];
}

// ── Transposed products ──────────────────────────────────────────────────────────────────────────────────────────

/** Whether a node is a product's transpose, and all that is made of that product. */
function isTurned(node: Node, users: ReadonlyMap<Node, readonly Node[]>, outputs: readonly Node[]): boolean {
  const [x] = node.inputs;
  return isSwap(node) && x!.op.name === "matmul" && users.get(x!)!.length === 1 && !outputs.includes(x!);
}

/** (a·b)ᵀ, as bᵀ·aᵀ where that undoes a transpose. */
function turned(product: Node): Node {
  const [a, b] = product.inputs;
  if (product.op.name !== "matmul" || !(isSwap(a!) || isSwap(b!))) return swapLast(product);
  return matmul(swapLast(b!), swapLast(a!));
}

/** Whether a node is the transpose of a matrix or of a stack of them. */
function isSwap({ op, attrs, shape }: Node): boolean {
  if (op.name !== "transpose") return false;
  const last = shape.length - 1;
  const from = attrs.permutation as readonly number[];
  return from.every((axis, i) => axis === (i < last - 1 ? i : 2 * last - 1 - i));
}
