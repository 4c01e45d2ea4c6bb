import { epsilonOf, knownLink, type Link, link } from "../../defences/index.ts";
import type { AskedDefence } from "./defence-spec.ts";

/** How much of the most exposed client, and of the most exposed image, goes into what the server sees. */
export interface Exposure {
  /** Batches that one image is in, over the whole training. */
  readonly releases: number;
  /** Updates that one client sends. */
  readonly updates: number;
}

/** What a client does in a federation, as far as privacy goes. */
export interface Participation {
  /** M */
  readonly images: number;
  /** Rounds in which it sends an update. */
  readonly rounds: number;
  /** Batches a round. */
  readonly steps: number;
  /** Images a batch. */
  readonly batchSize: number;
}

/**
 * The largest exposure over all clients: an image is in one batch of an epoch at most, rounds · ⌈steps / ⌊M/B⌋⌉ in all.
 *
 * Batches are cut from shuffled epochs, a fixed size each, so that the amplification of independent (Poisson) draws is no bound
 * here and none is claimed; nor is one by the draw of clients, which the server knows.
 */
export function exposureOf(clients: readonly Participation[]): Exposure {
  const most = (of: (client: Participation) => number) => clients.reduce((top, client) => Math.max(top, of(client)), 0);
  return {
    releases: most(
      ({ images, rounds, steps, batchSize }) => rounds * Math.ceil(steps / Math.floor(images / batchSize)),
    ),
    updates: most(({ rounds }) => rounds),
  };
}

/**
 * A defence with every setting. dp-sgd's σ is the least that keeps the most exposed image within (ε, δ) over the whole
 * training, unless σ is given; rounds and rate that are given stand in place of the planned ones.
 *
 * Throws FedleakError where no noise reaches the ε.
 */
export function plannedLink({ name, settings }: AskedDefence, { releases }: Exposure): Link {
  if (name !== "dp-sgd") return link(name, settings);
  return link(name, knownLink(link(name, { rounds: releases, rate: 1, ...settings })).settings);
}

/** What is known of a link's place in a training. */
export interface Setting {
  readonly exposure: Exposure;
  /** Defences that act after it. */
  readonly later: readonly Link[];
  /** Whether clients send BatchNorm's statistics of their images beside the update: nothing noises those. */
  readonly sendsStatistics: boolean;
}

/** What a link promises over the whole training, in words, or why nothing; undefined where it claims no ε. */
export function privacyText(planned: Link, { exposure, later, sendsStatistics }: Setting): string | undefined {
  const { name } = planned.defence;
  if (name !== "dp-sgd" && name !== "gaussian-dp") return undefined;
  const reader = later.find(({ defence }) => defence.readsImages);
  if (reader !== undefined) {
    return `no epsilon for ${name}: ${reader.defence.name} after it looks at the images themselves, without noise`;
  }
  if (sendsStatistics) {
    return `no epsilon for ${name}: clients send BatchNorm's statistics of their images beside it, without noise`;
  }
  const settings = knownLink(planned).settings;
  const [sigma, delta] = [Number(settings.sigma), Number(settings.delta)];
  const noise = `sigma ${sigma.toPrecision(4)}, by the Rényi accountant`;
  if (name === "dp-sgd") {
    const { releases } = exposure;
    return (
      `${epsilonText(epsilonOf({ sigma, delta, rate: 1, rounds: releases }), delta)} for each image of the most exposed client, which is in ` +
      `at most ${releases} noised gradients over the training; ${noise} without amplification by sampling; ` +
      "neighbours: one image added or removed, the rest of the batches as they are"
    );
  }
  const { updates: rounds } = exposure;
  const replaced = epsilonOf({ sigma: sigma / 2, delta, rate: 1, rounds });
  return (
    `${epsilonText(epsilonOf({ sigma, delta, rate: 1, rounds }), delta)} for a client as a whole that sends ${rounds} updates; ${noise}; ` +
    `neighbours: one client added or removed (with another in its place the update moves by twice the clip: ${replaced.toPrecision(3)})`
  );
}

/** Beyond it an ε is as good as none. Source: Ponomareva et al., How to DP-fy ML, JAIR 2023, whose weakest tier begins at 10. */
const MEANINGFUL = 10;

function epsilonText(epsilon: number, delta: number): string {
  const told = `${epsilon.toPrecision(3)} at delta ${delta}`;
  return epsilon > MEANINGFUL * (1 + 1e-9) ? `no meaningful epsilon (${told})` : `epsilon ${told}`;
}
