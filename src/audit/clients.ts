import { drawIndices, imageVariation, partition, partitionCounts } from "../data/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { fail, type Key, uniform } from "../util/index.ts";
import { type PartitionedClient, ruleText } from "./partition-spec.ts";
import type { RunSpec } from "./spec.ts";

/** The images of every client of a partitioned data set: U lists of indices, ascending. */
export type Holdings = readonly (readonly number[])[];

/** The client whose batch is attacked. */
export interface Holder {
  /** Counted from 0. */
  readonly number: number;
  /** Its images: indices into the data, ascending. */
  readonly indices: readonly number[];
  /** How many clients it was drawn among; null: it was named. */
  readonly among: number | null;
}

/** Images that can be measured and drawn from. */
interface Source {
  readonly labels: readonly number[];
  /** There where they are the rows of a table. */
  readonly table?: unknown;
  take(indices: readonly number[]): Promise<{ readonly images: Tensor<"float32"> }>;
}

/**
 * Who has which images, drawn from the key; undefined where the spec asks for no partition: all images are one client's.
 *
 * For feature-skew every image is read once, at the spec's size.
 * Throws FedleakError when a client would be left without an image, a client's classes exceed those that have images, or rows
 * of a table, which have no neighbours, should be told apart by their variation.
 */
export async function holdingsOf({ data }: RunSpec, source: Source, key: Key): Promise<Holdings | undefined> {
  const { partition: asked } = data;
  if (asked === null) return undefined;
  const { labels } = source;
  if (asked.name === "feature-skew" && source.table !== undefined) {
    fail({
      who: "partition feature-skew",
      must: "it goes by the total variation of images",
      got: "a table",
      remedy: "Use another --partition.",
    });
  }
  const variation = asked.name === "feature-skew" ? { variation: await variationsOf(source, [...labels.keys()]) } : {};
  return partition({ labels, ...variation }, { ...asked, alpha: asked.alpha!, key });
}

/** The total variation of the images at `indices`, in that order. */
export async function variationsOf({ take }: Pick<Source, "take">, indices: readonly number[]): Promise<number[]> {
  const values: number[] = [];
  for (let from = 0; from < indices.length; from += AT_ONCE) {
    values.push(...imageVariation((await take(indices.slice(from, from + AT_ONCE))).images));
  }
  return values;
}

const AT_ONCE = 500; // images measured at once; our choice

/**
 * The indices of `count` private images, drawn from all of the data, or from one client's where the data are partitioned.
 *
 * The client is the spec's, else drawn from its key: the first with as many images in an order of all clients that is random and the
 * same for every `count`, so that batches of several sizes are one client's where it has enough (our choice: every trial has a
 * batch, and large clients are attacked rather than small ones). Without a partition `keys.client` is not used.
 * Throws FedleakError when the client, or every one of them, has fewer images.
 */
export function drawPrivate(
  { data }: RunSpec,
  { labels, holdings }: { readonly labels: readonly number[]; readonly holdings: Holdings | undefined },
  { count, keys }: { readonly count: number; readonly keys: { readonly batch: Key; readonly client: Key } },
): { readonly indices: readonly number[]; readonly holder: Holder | undefined } {
  const draw = { batch: count, onePerClass: data.draw === "one-per-class", key: keys.batch };
  if (holdings === undefined) return { indices: drawIndices(labels, draw), holder: undefined };
  const holder = holderOf(data.partition!, holdings, { count, key: keys.client });
  const own = holder.indices;
  const drawn = drawIndices(
    own.map((i) => labels[i]!),
    draw,
  );
  return { indices: drawn.map((i) => own[i]!), holder };
}

/** Refuses a batch that the spec's client, or every client where one is drawn, has too few images for. */
export function checkHolder({ data }: RunSpec, holdings: Holdings, count: number): void {
  eligible(data.partition!, holdings, count);
}

/** What a record says of the client: `labelCounts` has a number for each of the data's classes. */
export function clientFacts(
  asked: PartitionedClient,
  { number, indices }: Holder,
  { labels, classNames }: { readonly labels: readonly number[]; readonly classNames: readonly string[] },
) {
  const [labelCounts] = partitionCounts([indices], labels, classNames.length);
  return {
    partition: ruleText(asked),
    clients: asked.clients,
    number,
    images: indices.length,
    labelCounts: labelCounts!,
  };
}

function holderOf(
  asked: PartitionedClient,
  holdings: Holdings,
  { count, key }: { readonly count: number; readonly key: Key },
): Holder {
  const able = eligible(asked, holdings, count);
  const rank = uniform(key, asked.clients);
  const number = asked.client ?? able.reduce((first, next) => (rank[next]! < rank[first]! ? next : first));
  return { number, indices: holdings[number]!, among: asked.client === null ? able.length : null };
}

/** The clients that a batch may be drawn from: the one that was named, or all that have enough images. */
function eligible(asked: PartitionedClient, holdings: Holdings, count: number): readonly number[] {
  const { client } = asked;
  const all = client === null ? [...holdings.keys()] : [client];
  const able = all.filter((number) => holdings[number]!.length >= count);
  if (able.length === 0) {
    const most = Math.max(...all.map((number) => holdings[number]!.length));
    const who = client === null ? "the largest client" : `client ${client}`;
    fail({
      who: `partition ${ruleText(asked)}`,
      must: `${who} of ${asked.clients} must have the ${count} images of its batch, local steps × batch size`,
      got: `${most}`,
      remedy: `Use a smaller --batch or fewer --local-steps, fewer --clients${client === null ? "" : ", another --client"}, or more images.`,
    });
  }
  return able;
}
