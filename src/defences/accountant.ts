import { fail } from "../util/index.ts";

/** Releases of a Gaussian mechanism: noise N(0, σ²C²) on a sum whose terms are no longer than C. */
export interface Releases {
  /** The noise multiplier σ > 0. */
  readonly sigma: number;
  /** The share of the data that takes part in a release, in (0,1], drawn independently (Poisson sampling). */
  readonly rate: number;
  /** How often, ≥ 1. */
  readonly rounds: number;
  /** In (0,1). */
  readonly delta: number;
}

/**
 * The ε of (ε, δ)-differential privacy that so many releases amount to, for neighbours that differ by one example more or less.
 *
 * ε = min over α of rounds · R(α) + ln(1/δ) / (α − 1), with R(α) = ln(Σ_k C(α,k) (1−q)^(α−k) q^k exp((k² − k)/2σ²)) / (α − 1)
 * over integer orders α; α/2σ² for q = 1. An upper bound. Source: Mironov, CSF 2017 (conversion); Mironov, Talwar, Zhang,
 * arXiv:1908.10530 (sampling). Differs: integer orders only, which is looser where ε is above about 10.
 * Throws FedleakError for values out of range.
 */
export function epsilonOf({ sigma, rate, rounds, delta }: Releases): number {
  need("sigma", sigma, sigma > 0, "a number above 0");
  need("rate", rate, rate > 0 && rate <= 1, "a number above 0 and of at most 1");
  need("rounds", rounds, Number.isInteger(rounds) && rounds >= 1, "a whole number of at least 1");
  needDelta(delta);
  return Math.min(
    ...ORDERS.map((order) => rounds * renyi(order, sigma, rate) - Math.log(delta) / (order - 1)).filter(
      (epsilon) => !Number.isNaN(epsilon),
    ),
  );
}

/**
 * The least σ (to 1e-6 of its value) whose releases stay within ε: `epsilonOf` solved by bisection.
 *
 * Throws FedleakError where ε is so small that no order of the accountant reaches it.
 */
export function sigmaFor({ epsilon, ...of }: Omit<Releases, "sigma"> & { readonly epsilon: number }): number {
  need("epsilon", epsilon, epsilon > 0, "a number above 0");
  const within = (logSigma: number) => epsilonOf({ ...of, sigma: Math.exp(logSigma) }) <= epsilon;
  let [low, high] = [Math.log(1e-3), Math.log(1e7)]; // our choice: beyond any noise in use
  if (!within(high)) {
    fail({
      who: "accountant",
      must: `epsilon must be above what order ${ORDERS.at(-1)} reaches, ln(1/δ)/(α − 1)`,
      got: `${epsilon} with delta ${of.delta}`,
      remedy: "Ask for a larger epsilon, or a larger delta.",
    });
  }
  while (high - low > 1e-6) {
    const middle = (low + high) / 2;
    if (within(middle)) high = middle;
    else low = middle;
  }
  return Math.exp(high);
}

/**
 * σ = sqrt(2 ln(1.25/δ)) / ε: the classical noise of one release.
 *
 * Source: Dwork and Roth, Theorem A.1, which holds for ε in (0,1) only. Throws FedleakError for another ε or δ.
 */
export function classicalSigma(epsilon: number, delta: number): number {
  needDelta(delta);
  need("epsilon", epsilon, epsilon > 0, "a number above 0");
  if (epsilon >= 1) {
    fail({
      who: "accountant",
      must: "the classical bound of Gaussian noise holds for epsilon below 1 only",
      got: `${epsilon}`,
      remedy: "Take dp-sgd, which accounts by Rényi divergences, or give sigma itself.",
    });
  }
  return Math.sqrt(2 * Math.log(1.25 / delta)) / epsilon;
}

/** The orders α that are tried: all small ones, then powers for small ε; our choice. */
const ORDERS: readonly number[] = [...Array.from({ length: 63 }, (_, i) => i + 2), 128, 256, 512, 1024, 4096];

/** R(α) of one release, summed on a logarithmic scale. */
function renyi(order: number, sigma: number, rate: number): number {
  if (rate === 1) return order / (2 * sigma * sigma);
  const logs: number[] = [];
  let binomial = 0; // ln C(α, k)
  for (let k = 0; k <= order; k++) {
    logs.push(binomial + (order - k) * Math.log1p(-rate) + k * Math.log(rate) + (k * k - k) / (2 * sigma * sigma));
    binomial += Math.log((order - k) / (k + 1));
  }
  const peak = logs.reduce((a, b) => Math.max(a, b));
  const sum = logs.reduce((total, value) => total + Math.exp(value - peak), 0);
  return Math.max(0, (peak + Math.log(sum)) / (order - 1)); // rounding must not make it negative
}

function needDelta(delta: number): void {
  need("delta", delta, delta > 0 && delta < 1, "a number above 0 and below 1");
}

function need(name: string, value: number, holds: boolean, range: string): void {
  if (!holds) {
    fail({ who: `accountant ${name}`, must: `it must be ${range}`, got: `${value}`, remedy: "Change it." });
  }
}
