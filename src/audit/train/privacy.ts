import { epsilonOf, type Link, link, sigmaFor } from "../../defences/index.ts";
import type { AskedDefence } from "./defence-spec.ts";

/** How often a client sends something that its images went into, and which share of them goes in each time. */
export interface Exposure {
  readonly releases: number;
  /** In (0,1]. */
  readonly rate: number;
}

/** What a client does in a federation, as far as privacy goes. */
export interface Participation {
  /** M */
  readonly images: number;
  /** Rounds it takes part in. */
  readonly rounds: number;
  /** Batches a round. */
  readonly steps: number;
  /** Images a batch. */
  readonly batchSize: number;
}

/**
 * The exposures of the images of all clients, but for those that another one surpasses in both numbers.
 *
 * A client's image is in a batch with rate B/M; rounds that it takes part in are known to the server, so that the draw of
 * clients amplifies nothing.
 */
export function exposures(clients: readonly Participation[]): Exposure[] {
  const all = clients
    .map(({ images, rounds, steps, batchSize }) => ({
      releases: rounds * steps,
      rate: Math.min(1, batchSize / images),
    }))
    .filter(({ releases }) => releases > 0)
    .sort((a, b) => b.rate - a.rate || b.releases - a.releases);
  const kept: Exposure[] = [];
  for (const exposure of all) if (exposure.releases > (kept.at(-1)?.releases ?? 0)) kept.push(exposure);
  return kept;
}

/**
 * A defence with every setting. dp-sgd's σ is the least that keeps the most exposed client within (ε, δ) over the whole
 * training, unless σ is given; rounds and rate that are given stand in place of the planned ones.
 *
 * Throws FedleakError where no noise reaches the ε.
 */
export function plannedLink({ name, settings }: AskedDefence, exposed: readonly Exposure[]): Link {
  if (name !== "dp-sgd") return link(name, settings);
  const candidates = exposed.map(({ releases, rate }) => {
    const { settings: whole } = link(name, { rounds: releases, rate, ...settings });
    const [epsilon, delta, rounds, share, sigma] = NUMBERS.map((setting) => Number(whole[setting]));
    const releasesOf = { delta: delta!, rounds: rounds!, rate: share! };
    const noise = sigma! > 0 ? sigma! : sigmaFor({ ...releasesOf, epsilon: epsilon! });
    return { settings: { ...whole, sigma: noise }, noise, epsilon: epsilonOf({ ...releasesOf, sigma: noise }) };
  });
  const worst = candidates.reduce((a, b) => ((b.noise - a.noise || b.epsilon - a.epsilon) > 0 ? b : a));
  return link(name, worst.settings);
}

const NUMBERS = ["epsilon", "delta", "rounds", "rate", "sigma"] as const;

/** What a link promises over the whole training, in words; undefined where no ε is known. */
export function privacyText(
  { defence: { name }, settings }: Link,
  exposed: readonly Exposure[],
  updates: number,
): string | undefined {
  const [sigma, delta] = [Number(settings.sigma), Number(settings.delta)];
  const told = (epsilon: number) => `epsilon ${epsilon.toPrecision(3)} at delta ${delta}`;
  if (name === "dp-sgd") {
    const each = exposed.map(({ releases, rate }) => ({
      ...{ releases, rate },
      epsilon: epsilonOf({ sigma, delta, rate, rounds: releases }),
    }));
    const { epsilon, releases, rate } = each.reduce((a, b) => (b.epsilon > a.epsilon ? b : a));
    return (
      `${told(epsilon)} for each image of the most exposed client: ${releases} noised gradients over the training, each of ` +
      `${rate.toPrecision(3)} of its images, sigma ${sigma.toPrecision(4)}, by the Rényi accountant`
    );
  }
  if (name === "gaussian-dp" && sigma > 0) {
    const epsilon = epsilonOf({ sigma, delta, rate: 1, rounds: updates });
    return `${told(epsilon)} for a client as a whole that sends ${updates} updates, sigma ${sigma.toPrecision(4)}, by the Rényi accountant`;
  }
  return undefined;
}
