import { describe, type Node, topological } from "../../graph/index.ts";
import { numbers, type Shape, sameShape, type Tensor } from "../../tensor/index.ts";
import { fail } from "../../util/index.ts";

/** A number that stays, or one that is so many times the batch size. */
export type Extent = number | { readonly times: number };

/** Which numbers of a graph follow from the batch size. */
export interface Batches {
  /** The extents of a value. */
  readonly of: (node: Node) => readonly Extent[];
  /** True where batches may have any size. */
  readonly open: boolean;
}

/** Of a graph that is written for one batch size: all numbers stay. */
export const FIXED: Batches = { of: ({ shape }) => shape, open: false };

/**
 * Of a graph that was built for two batch sizes: an extent that is k times the batch in both is k times any.
 *
 * Both graphs are walked side by side. Throws FedleakError where they differ in more than such extents.
 */
export function batchesOf(who: string, outputs: readonly [Node, Node], sizes: readonly [number, number]): Batches {
  const differ = (got: string): never =>
    fail({
      who,
      must: "its graph must be the same for every batch size",
      got,
      remedy: "Export it for one batch size: --batch N.",
    });
  const [ones, others] = outputs.map((output) => topological([output])) as [Node[], Node[]];
  if (ones.length !== others.length) differ(`${ones.length} and ${others.length} values`);
  const twins = new Map<Node, Node>();
  ones.forEach((node, i) => {
    const twin = others[i]!;
    const alike = node.op === twin.op && node.inputs.every((x, k) => twins.get(x) === twin.inputs[k]);
    if (!alike || !sameAttributes(node, twin)) differ(`${node.op.name} ${describe(node)} and ${twin.op.name}`);
    twins.set(node, twin);
  });
  const extent = (node: Node, axis: number): Extent => {
    const [n, m] = [node.shape[axis]!, twins.get(node)!.shape[axis]!];
    if (n === m) return n;
    const times = n / sizes[0];
    return Number.isInteger(times) && m === times * sizes[1] ? { times } : differ(`${node.op.name} ${describe(node)}`);
  };
  return { open: true, of: (node) => node.shape.map((_, axis) => extent(node, axis)) };
}

/** What may follow the batch: it is in the shape of the value too. */
const SHAPES = new Set(["shape", "sizes"]);

function sameAttributes(a: Node, b: Node): boolean {
  return Object.keys(a.attrs).every((name) => {
    const [p, q] = [a.attrs[name], b.attrs[name]];
    if (SHAPES.has(name)) return true;
    return name === "tensor" ? sameTensor(p as Tensor, q as Tensor) : JSON.stringify(p) === JSON.stringify(q);
  });
}

function sameTensor(a: Tensor, b: Tensor): boolean {
  if (a === b) return true;
  const [p, q] = [numbers(a), numbers(b)];
  return sameShape(a.shape, b.shape) && p.every((v, i) => Object.is(v, q[i]));
}

/** The extents where no batch is among them. */
export function settled(extents: readonly Extent[]): Shape | undefined {
  return extents.every((extent) => typeof extent === "number") ? (extents as Shape) : undefined;
}
