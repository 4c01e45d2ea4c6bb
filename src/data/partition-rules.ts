/** The rules by which `partition` spreads images: each gives U lists of indices, in any order. */
import { fail, type Key, permutation, split, uniform } from "../util/index.ts";

type Indices = readonly number[];

/** `count` indices in an order drawn from the key, cut into U parts whose sizes differ by one at most. */
export function evenly(count: number, clients: number, key: Key): Indices[] {
  return cutEvenly(permutation(key, count), clients);
}

/** Part u has ⌊share_u · count⌉ of the indices, up to rounding, drawn from the key. */
export function byQuantity(count: number, shares: ArrayLike<number>, key: Key): Indices[] {
  return cutByShares(permutation(split(key, "order"), count), shares);
}

/** Client u has the u-th of U quantiles of `variation`; equal values keep their order. */
export function byFeature(variation: readonly number[], clients: number): Indices[] {
  const order = variation.map((_, i) => i).sort((a, b) => variation[a]! - variation[b]! || a - b);
  return cutEvenly(order, clients);
}

/** The images of each class are cut by shares of their own: `shares(class)` gives U numbers that sum to 1. */
export function byDirichlet(
  labels: readonly number[],
  shares: (label: number) => ArrayLike<number>,
  key: Key,
): Indices[] {
  return joined(
    classesOf(labels).map(([label, indices]) => cutByShares(shuffled(indices, split(key, label)), shares(label))),
  );
}

/**
 * Every client has images of exactly k classes (our choice: each takes the k classes that the fewest clients have so far, ties
 * drawn from the key), and the clients of a class share it evenly.
 *
 * Throws FedleakError when k exceeds the number of classes that have images.
 */
export function byLabel(labels: readonly number[], clients: number, k: number, key: Key): Indices[] {
  const classes = classesOf(labels);
  if (k > classes.length) {
    fail({
      who: "partition label-skew",
      must: `classes a client must be at most ${classes.length}, the classes that have images`,
      got: `${k}`,
      remedy: "Lower --classes-per-client.",
    });
  }
  const owners: number[][] = classes.map(() => []);
  for (let client = 0; client < clients; client++) {
    const ties = uniform(split(split(key, "ties"), client), classes.length);
    const order = classes.map((_, c) => c).sort((a, b) => owners[a]!.length - owners[b]!.length || ties[a]! - ties[b]!);
    for (const c of order.slice(0, k)) owners[c]!.push(client);
  }
  const parts: number[][] = Array.from({ length: clients }, () => []);
  classes.forEach(([label, indices], c) => {
    const cut = cutEvenly(shuffled(indices, split(key, label)), Math.max(1, owners[c]!.length));
    owners[c]!.forEach((client, i) => {
      parts[client]!.push(...cut[i]!);
    });
  });
  return parts;
}

/** The classes that have images, ascending, with the indices of their images. */
function classesOf(labels: readonly number[]): (readonly [label: number, indices: Indices])[] {
  const found = new Map<number, number[]>();
  labels.forEach((label, i) => {
    const indices = found.get(label);
    if (indices) indices.push(i);
    else found.set(label, [i]);
  });
  return [...found].sort(([a], [b]) => a - b);
}

function shuffled(indices: Indices, key: Key): Indices {
  return permutation(key, indices.length).map((i) => indices[i]!);
}

function cutEvenly(order: Indices, parts: number): Indices[] {
  const edge = (i: number) => Math.floor((i * order.length) / parts);
  return Array.from({ length: parts }, (_, i) => order.slice(edge(i), edge(i + 1)));
}

function cutByShares(order: Indices, shares: ArrayLike<number>): Indices[] {
  let sum = 0;
  let from = 0;
  return Array.from(shares, (share, i) => {
    sum += share;
    const to = i === shares.length - 1 ? order.length : Math.min(order.length, Math.round(sum * order.length));
    const part = order.slice(from, to);
    from = to;
    return part;
  });
}

/** Part u of every cut, together. */
function joined(cuts: readonly (readonly Indices[])[]): Indices[] {
  return cuts[0]!.map((_, u) => cuts.flatMap((cut) => cut[u]!));
}
