import { fail, type Key, split } from "../util/index.ts";
import { dirichletDraw } from "./partition-draws.ts";
import { byDirichlet, byFeature, byLabel, byQuantity, evenly } from "./partition-rules.ts";

/** How images are spread over the clients of a federation, with one line on each. */
export const PARTITIONS = {
  iid: "every client has as many images, drawn alike",
  "label-skew": "every client has images of k classes only",
  "quantity-skew": "clients have different numbers of images, shares drawn from Dirichlet(α)",
  "feature-skew":
    "every client has as many images, from smooth ones (client 0) to busy ones: quantiles of total variation",
  dirichlet: "of each class the clients have shares drawn from Dirichlet(α)",
} as const;

export type PartitionName = keyof typeof PARTITIONS;

/** What a partition goes by. */
export interface Partitionable {
  /** M class indices. */
  readonly labels: readonly number[];
  /** M numbers, needed by feature-skew: `imageVariation`. */
  readonly variation?: readonly number[];
}

export interface PartitionPlan {
  readonly name: PartitionName;
  /** U */
  readonly clients: number;
  /** k of label-skew. */
  readonly classesPerClient: number;
  /** α > 0 of quantity-skew and dirichlet. */
  readonly alpha: number;
  readonly key: Key;
}

/**
 * The images of each client: U lists of indices in 0 … M − 1, ascending, no index in two of them, no list empty.
 *
 * Every index is in one of them, but for label-skew with U·k below the number of classes. Shares drawn from Dirichlet(α)
 * are drawn anew, at most 100 times, while they leave a client empty.
 * Throws FedleakError when there are more clients than images, k exceeds the classes there are, or a client stays empty.
 * Source: McMahan et al., "Communication-efficient learning", AISTATS 2017 (iid, few classes a client); Li et al., "Federated
 * learning on non-IID data silos", ICDE 2022 (Dirichlet shares of a class, and of the quantity).
 * Differs: label-skew deals whole classes, so that k is exact, where McMahan et al. deal shards of the sorted set;
 * feature-skew is our choice.
 */
export function partition(images: Partitionable, plan: PartitionPlan): readonly (readonly number[])[] {
  const { name, clients, key } = plan;
  const { labels } = images;
  if (clients > labels.length) {
    fail({
      who: "partition",
      must: `each of the ${clients} clients must have an image`,
      got: `${labels.length} images`,
      remedy: "Use fewer clients (--clients) or more images.",
    });
  }
  if (name === "iid") return sorted(evenly(labels.length, clients, key));
  if (name === "feature-skew") return sorted(byFeature(variationOf(images), clients));
  if (name === "label-skew") return filled(sorted(byLabel(labels, clients, plan.classesPerClient, key)), plan);
  const draw = (attempt: number) => {
    const drawKey = split(key, attempt);
    const shares = (label: string | number) => dirichletDraw(split(drawKey, label), clients, plan.alpha);
    return name === "quantity-skew"
      ? byQuantity(labels.length, shares("quantity"), drawKey)
      : byDirichlet(labels, shares, drawKey);
  };
  for (let attempt = 0; attempt < MOST_DRAWS; attempt++) {
    const drawn = draw(attempt);
    if (drawn.every((indices) => indices.length > 0)) return sorted(drawn);
  }
  return filled(sorted(draw(0)), plan);
}

/** How many images of each class each client has: U rows of N counts. */
export function partitionCounts(
  clients: readonly (readonly number[])[],
  labels: readonly number[],
  classes: number,
): number[][] {
  return clients.map((indices) => {
    const counts = new Array<number>(classes).fill(0);
    for (const i of indices) counts[labels[i]!]! += 1;
    return counts;
  });
}

const MOST_DRAWS = 100; // our choice: Li et al. redraw without an end

function sorted(clients: readonly (readonly number[])[]): readonly (readonly number[])[] {
  return clients.map((indices) => [...indices].sort((a, b) => a - b));
}

function variationOf({ labels, variation }: Partitionable): readonly number[] {
  if (variation?.length !== labels.length) {
    fail({
      who: "partition feature-skew",
      must: `the variation of each of the ${labels.length} images must be given`,
      got: variation === undefined ? "none" : `${variation.length}`,
      remedy: "Measure it with imageVariation.",
    });
  }
  return variation;
}

/** Complains about the first client without an image. */
function filled(
  clients: readonly (readonly number[])[],
  { name, clients: count }: PartitionPlan,
): readonly (readonly number[])[] {
  const empty = clients.filter((indices) => indices.length === 0).length;
  if (empty > 0) {
    fail({
      who: `partition ${name}`,
      must: `each of the ${count} clients must have an image`,
      got: `${empty} without one, client ${clients.findIndex((indices) => indices.length === 0)} for one`,
      remedy:
        name === "label-skew"
          ? "Use fewer clients (--clients) or more images."
          : "Use a larger --alpha, fewer clients (--clients), another --seed or more images.",
    });
  }
  return clients;
}
