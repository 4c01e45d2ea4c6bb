import { float32, type Tensor, type Tensors } from "../tensor/index.ts";
import { fail, type Key, normal } from "../util/index.ts";
import { cholesky, lowerTimes, solveLower } from "./cholesky.ts";

/**
 * A search distribution N(mean, σ²C) over n numbers, as tensors that the caller keeps.
 *
 * `cma.mean` [n]; `cma.sigma` []; `cma.covariance` C, [n,n] or its diagonal [n]; the evolution paths `cma.path` and
 * `cma.sigma-path` [n]; `cma.generation` [].
 */
export type CmaEsState = Tensors<"float32">;

const FULL_UP_TO = 512; // our choice: 4 latent vectors of 128; a Cholesky decomposition of that size takes some 40 ms

/**
 * The distribution before the first generation: N(mean, σ²I).
 *
 * mean: any shape of n ≥ 1 numbers · sigma > 0, about a third of the distance to where the optimum may be · covariance:
 * without it, "full" up to n = 512 and "diagonal" beyond, where n² numbers would be too many to learn and to decompose.
 */
export function cmaEsInitial({
  mean,
  sigma,
  covariance = mean.data.length <= FULL_UP_TO ? "full" : "diagonal",
}: {
  readonly mean: Tensor<"float32">;
  readonly sigma: number;
  readonly covariance?: "full" | "diagonal";
}): CmaEsState {
  const n = mean.data.length;
  if (!(sigma > 0) || n === 0) {
    fail({ who: "cma-es", must: "n ≥ 1 and sigma > 0", got: `n ${n}, sigma ${sigma}`, remedy: "Check the start." });
  }
  const identity = new Float32Array(n * n);
  for (let i = 0; i < n; i++) identity[i * n + i] = 1;
  return {
    "cma.mean": float32([n], mean.data),
    "cma.sigma": float32([], [sigma]),
    "cma.covariance": covariance === "full" ? float32([n, n], identity) : float32([n], new Float32Array(n).fill(1)),
    "cma.path": float32([n], new Float32Array(n)),
    "cma.sigma-path": float32([n], new Float32Array(n)),
    "cma.generation": float32([], [0]),
  };
}

/** One generation: `population` ≥ 2 points drawn from the distribution, [population, n]. */
export function cmaEsAsk(state: CmaEsState, key: Key, population: number): Tensor<"float32"> {
  const { mean, sigma, covariance } = partsOf(state);
  const n = mean.length;
  const factor = factorOf(covariance, n);
  const draws = normal(key, population * n);
  const out = new Float32Array(population * n);
  for (let k = 0; k < population; k++) {
    const step = factor.times(draws.subarray(k * n, (k + 1) * n));
    for (let i = 0; i < n; i++) out[k * n + i] = mean[i]! + sigma * step[i]!;
  }
  return float32([population, n], out);
}

/**
 * The distribution after a generation: it moves to the better half and adapts its spread, by rank alone.
 *
 * candidates [λ,n] from `cmaEsAsk` of this state; losses: λ numbers, lower is better; one that is not finite ranks last.
 * Source: Hansen, "The CMA evolution strategy: a tutorial", arXiv 1604.00772, figure 6 with its default parameters; the
 * diagonal form from Ros and Hansen, "A simple modification in CMA-ES", PPSN 2008: rates times (n + 2)/3.
 * Differs: recombination weights of the worse half are 0; σ's path is made white with the Cholesky factor of C in place
 * of its symmetric root, as Krause and Igel, "CMA-ES with optimal covariance update", NIPS 2016: no eigenvalues needed.
 */
export function cmaEsTell(state: CmaEsState, candidates: Tensor<"float32">, losses: ArrayLike<number>): CmaEsState {
  const { mean, sigma, covariance, path, sigmaPath, generation } = partsOf(state);
  const n = mean.length;
  const lambda = candidates.shape[0]!;
  if (losses.length !== lambda || candidates.shape[1] !== n || lambda < 2) {
    fail({
      who: "cma-es",
      must: `it needs at least 2 candidates of ${n} numbers and a loss for each`,
      got: `candidates [${candidates.shape.join(",")}], ${losses.length} losses`,
      remedy: "Pass what cmaEsAsk gave.",
    });
  }
  const full = covariance.length !== n || n === 1;
  const { weights, effective, cc, cs, c1, cmu, damping, expectedNorm } = constants(n, lambda, full);
  const steps = bestFirst(losses)
    .slice(0, weights.length)
    .map((k) => Float64Array.from(mean, (m, i) => (candidates.data[k * n + i]! - m) / sigma));
  const shift = weightedSum(steps, weights);
  const white = factorOf(covariance, n).solve(shift);
  const keep = Math.sqrt(cs * (2 - cs) * effective);
  const nextSigmaPath = sigmaPath.map((p, i) => (1 - cs) * p + keep * white[i]!);
  const norm = Math.sqrt(nextSigmaPath.reduce((sum, p) => sum + p * p, 0));
  const drift = norm / Math.sqrt(1 - (1 - cs) ** (2 * (generation + 1))) / expectedNorm;
  const stalled = drift >= 1.4 + 2 / (n + 1); // h_σ = 0: a long step makes C's path wait
  const nextPath = path.map((p, i) => (1 - cc) * p + (stalled ? 0 : Math.sqrt(cc * (2 - cc) * effective)) * shift[i]!);
  const decay = 1 - c1 - cmu + (stalled ? c1 * cc * (2 - cc) : 0);
  const next = adapted(covariance, {
    n,
    decay,
    terms: [nextPath, ...steps],
    rates: [c1, ...weights.map((w) => cmu * w)],
  });
  const growth = Math.exp(Math.min(1, (cs / damping) * (norm / expectedNorm - 1))); // min 1: as Hansen's code, no jumps
  return {
    "cma.mean": float32(
      [n],
      mean.map((m, i) => m + sigma * shift[i]!),
    ),
    "cma.sigma": float32([], [sigma * growth]),
    "cma.covariance": float32(state["cma.covariance"]!.shape, next),
    "cma.path": float32([n], nextPath),
    "cma.sigma-path": float32([n], nextSigmaPath),
    "cma.generation": float32([], [generation + 1]),
  };
}

function partsOf(state: CmaEsState) {
  const at = (name: string) => Float64Array.from(state[`cma.${name}`]!.data);
  return {
    mean: at("mean"),
    sigma: at("sigma")[0]!,
    covariance: at("covariance"),
    path: at("path"),
    sigmaPath: at("sigma-path"),
    generation: at("generation")[0]!,
  };
}

/** The tutorial's default parameters (its table 1), in its names: μ_eff is `effective`, d_σ `damping`, E‖N(0,I)‖ `expectedNorm`. */
function constants(n: number, lambda: number, full: boolean) {
  const parents = Math.floor(lambda / 2);
  const raw = Array.from({ length: parents }, (_, i) => Math.log((lambda + 1) / 2) - Math.log(i + 1));
  const total = raw.reduce((a, b) => a + b, 0);
  const weights = raw.map((w) => w / total);
  const effective = 1 / weights.reduce((sum, w) => sum + w * w, 0);
  const cs = (effective + 2) / (n + effective + 5);
  const faster = full ? 1 : (n + 2) / 3;
  const c1 = Math.min(1, (faster * 2) / ((n + 1.3) ** 2 + effective));
  const cmu = Math.min(1 - c1, (faster * 2 * (effective - 2 + 1 / effective)) / ((n + 2) ** 2 + effective));
  return {
    weights,
    effective,
    cs,
    c1,
    cmu,
    cc: (4 + effective / n) / (n + 4 + (2 * effective) / n),
    damping: 1 + 2 * Math.max(0, Math.sqrt((effective - 1) / (n + 1)) - 1) + cs,
    expectedNorm: Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n)),
  };
}

/** Indices by loss; what is not finite comes last, ties stay in order. */
function bestFirst(losses: ArrayLike<number>): number[] {
  const value = (k: number) => (Number.isFinite(losses[k]!) ? losses[k]! : Number.POSITIVE_INFINITY);
  return Array.from({ length: losses.length }, (_, k) => k).sort((a, b) =>
    value(a) === value(b) ? 0 : value(a) - value(b),
  );
}

function weightedSum(rows: readonly Float64Array[], weights: readonly number[]): Float64Array {
  return rows[0]!.map((_, i) => rows.reduce((sum, row, k) => sum + weights[k]! * row[i]!, 0));
}

/** decay·C + Σ rate·t·tᵀ, or its diagonal. */
function adapted(
  covariance: Float64Array,
  update: {
    readonly n: number;
    readonly decay: number;
    readonly terms: readonly Float64Array[];
    readonly rates: readonly number[];
  },
): Float64Array {
  const { n, decay, terms, rates } = update;
  const out = covariance.map((c) => c * decay);
  const full = covariance.length === n * n;
  terms.forEach((term, k) => {
    for (let i = 0; i < n; i++) {
      const scaled = rates[k]! * term[i]!;
      if (!full) out[i]! += scaled * term[i]!;
      else for (let j = 0; j < n; j++) out[i * n + j]! += scaled * term[j]!;
    }
  });
  return out;
}

/** A with A·Aᵀ = C: its product with a vector, and the solution of A·x = v. */
function factorOf(covariance: Float64Array, n: number) {
  if (covariance.length === n) {
    const roots = covariance.map((c) => Math.sqrt(Math.max(c, Number.MIN_VALUE)));
    return {
      times: (v: Float64Array) => v.map((x, i) => x * roots[i]!),
      solve: (v: Float64Array) => v.map((x, i) => x / roots[i]!),
    };
  }
  const lower = cholesky(covariance, n);
  return {
    times: (v: Float64Array) => lowerTimes(lower, v),
    solve: (v: Float64Array) => solveLower(lower, v),
  };
}
