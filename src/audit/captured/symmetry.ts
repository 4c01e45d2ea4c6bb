import { input } from "../../graph/index.ts";
import { inputsFor, type Model, type ParamSpec } from "../../nn/index.ts";
import { compile, type Device } from "../../runtime/index.ts";
import { float32, sizeOf, type Tensor, type Tensors } from "../../tensor/index.ts";
import { key, split, uniform } from "../../util/index.ts";

/**
 * A change of the weights that leaves the network's outputs as they are: unit o of `outgoing` is scaled by c_o, and what reads
 * it, if anything has to, by 1/c_o. So a gradient g at weights w satisfies, for each o,
 * Σ w·g over the unit's own entries = Σ w·g over those that read it.
 */
export interface Symmetry {
  /** Weight [O,…] and bias [O] that are scaled; the bias may be missing. */
  readonly outgoing: readonly string[];
  /** Weight [O′,O·K,…] that is scaled against them; undefined: BatchNorm takes the scale off by itself. */
  readonly incoming: string | undefined;
  readonly units: number;
  /** How far outputs moved when it was tried, relative to their spread over images: BatchNorm's ε, and rounding. */
  readonly leftover: number;
}

/** A bias that changes no output, since BatchNorm takes the mean off right after it: its gradient is 0. */
export interface Silent {
  readonly weight: string;
  readonly bias: string;
}

/**
 * The scale symmetries of a network and its silent biases, found by trying: weights are scaled and outputs on random images compared.
 *
 * Tried are each weight by itself and each weight against the next two; factors are powers of two, so that networks of
 * piecewise linear units give equal bits. Of many weights some are taken, evenly spaced. mode as the client's.
 * Source: Du, Hu and Lee, "Algorithmic regularization in learning deep homogeneous models", NeurIPS 2018 (the balance of
 * layers); van Laarhoven, "L2 regularization versus batch and weight normalization", 2017 (orthogonality). Finding them by trial: our choice.
 */
export async function symmetriesOf(
  network: Model,
  weights: { readonly params: Tensors<"float32">; readonly buffers: Tensors<"float32"> },
  { mode, device, threads }: { readonly mode: "train" | "eval"; readonly device: Device; readonly threads: number },
): Promise<{ readonly scales: readonly Symmetry[]; readonly silent: readonly Silent[] }> {
  const { logits } = network.forward({
    params: inputsFor(network.params, PARAM),
    buffers: inputsFor(network.buffers, BUFFER),
    x: input(IMAGES, [BATCH, ...network.inputShape]),
    mode,
  });
  const program = await compile({ logits }, { device, threads });
  const shape = [BATCH, ...network.inputShape];
  const images = float32(shape, uniform(split(key(0), "symmetry"), sizeOf(shape)));
  const run = async (params: Tensors<"float32">) => {
    const feeds = { [IMAGES]: images, ...named(PARAM, params), ...named(BUFFER, weights.buffers) };
    return (await program.run(feeds)).logits!.data as Float32Array;
  };
  try {
    const plain = await run(weights.params);
    const spread = spreadOverImages(plain, network.classes);
    if (spread < DULL * plain.reduce((most, v) => Math.max(most, Math.abs(v)), 0)) return { scales: [], silent: [] };
    const leftoverOf = async (changed: Tensors<"float32">) => {
      const moved = await run({ ...weights.params, ...changed });
      return moved.reduce((most, v, i) => Math.max(most, Math.abs(v - plain[i]!)), 0) / spread;
    };
    const all = candidates(network.params);
    const scales: Symmetry[] = [];
    for (const candidate of all) {
      const leftover = await leftoverOf(scaled(candidate, weights.params));
      if (leftover <= SAME) scales.push({ ...candidate, leftover });
    }
    const silent: Silent[] = [];
    for (const { outgoing, incoming } of all) {
      const [weight, bias] = outgoing;
      if (incoming !== undefined || bias === undefined) continue;
      if ((await leftoverOf(shifted(bias, weights.params))) <= SAME) silent.push({ weight: weight!, bias });
    }
    return { scales, silent };
  } finally {
    await program.release();
  }
}

/**
 * How much outputs [B,N] depend on the images: the largest difference between two images in one class. Between classes they
 * differ by the head's bias alone, which says nothing about the layers before it.
 */
function spreadOverImages(outputs: Float32Array, classes: number): number {
  const ofClass = (j: number) => outputs.filter((_, i) => i % classes === j);
  return Math.max(...Array.from({ length: classes }, (_, j) => Math.max(...ofClass(j)) - Math.min(...ofClass(j))));
}

/**
 * How far an update is from what a symmetry asks: ‖r‖/‖s‖ over the units, r_o the difference of both sides and s_o the sum of
 * the norms' products. 0 for a gradient at these weights, about 1/√(entries a unit) for one that is not.
 */
export function imbalance(
  { outgoing, incoming, units }: Symmetry,
  weights: Tensors<"float32">,
  update: Tensors<"float32">,
) {
  const [difference, sizes] = [new Float64Array(units), new Float64Array(units)];
  const gather = (name: string, sign: 1 | -1, unitOf: (i: number) => number) => {
    const [w, g] = [weights[name]!.data, update[name]!.data];
    const [ww, gg] = [new Float64Array(units), new Float64Array(units)];
    for (let i = 0; i < w.length; i++) {
      const o = unitOf(i);
      difference[o]! += sign * w[i]! * g[i]!;
      ww[o]! += w[i]! ** 2;
      gg[o]! += g[i]! ** 2;
    }
    for (let o = 0; o < units; o++) sizes[o]! += Math.sqrt(ww[o]! * gg[o]!);
  };
  for (const name of outgoing) gather(name, 1, outgoingUnit(weights[name]!, units));
  if (incoming !== undefined) gather(incoming, -1, incomingUnit(weights[incoming]!, units));
  const size = Math.hypot(...sizes);
  return size === 0 ? 0 : Math.hypot(...difference) / size;
}

type Candidate = Omit<Symmetry, "leftover">;

const BATCH = 4; // images that are tried; BatchNorm needs some
const DULL = 1e-4; // of the outputs' size; our choice: less than that, and rounding hides what a weight does
const SAME = 1e-3; // of the outputs' spread over images; BatchNorm's ε of 1e-5 stays below, a scale that matters is above; our choice
const MOST_WEIGHTS = 24; // our choice, for the time it takes
const [IMAGES, PARAM, BUFFER] = ["images", "param.", "buffer."] as const;

/** Each weight with its bias, and the weights that follow. */
function candidates(params: readonly ParamSpec[]): Candidate[] {
  const layers: { names: string[]; units: number; spec: ParamSpec }[] = [];
  for (const spec of params) {
    const last = layers.at(-1);
    const isBias =
      spec.shape.length === 1 &&
      last?.names.length === 1 &&
      last.units === spec.shape[0] &&
      !/(weight|gamma|scale)$/.test(spec.name);
    if (isBias) last.names.push(spec.name);
    else if (spec.shape.length > 0) layers.push({ names: [spec.name], units: spec.shape[0]!, spec });
  }
  const step = Math.max(1, layers.length / MOST_WEIGHTS);
  const tried = Array.from({ length: Math.min(layers.length, MOST_WEIGHTS) }, (_, i) => Math.floor(i * step));
  return tried.flatMap((at) => {
    const { names, units, spec } = layers[at]!;
    const reads = layers
      .slice(at + 1, at + 3)
      .filter((next) => next.spec.shape.length > 1 && next.spec.shape[1]! % units === 0);
    const alone = spec.shape.length > 1 ? [{ outgoing: names, incoming: undefined, units }] : [];
    return [...alone, ...reads.map((next) => ({ outgoing: names, incoming: next.spec.name, units }))];
  });
}

function scaled({ outgoing, incoming, units }: Candidate, weights: Tensors<"float32">): Tensors<"float32"> {
  const factors = Float64Array.from(
    uniform(split(key(0), "factors"), units),
    (u) => FACTORS[Math.floor(u * FACTORS.length)]!,
  );
  const times = (t: Tensor<"float32">, factorOf: (i: number) => number) =>
    float32(
      t.shape,
      t.data.map((v, i) => v * factorOf(i)),
    );
  const out = outgoing.map((name) => {
    const unit = outgoingUnit(weights[name]!, units);
    return [name, times(weights[name]!, (i) => factors[unit(i)]!)] as const;
  });
  if (incoming === undefined) return Object.fromEntries(out);
  const unit = incomingUnit(weights[incoming]!, units);
  return { ...Object.fromEntries(out), [incoming]: times(weights[incoming]!, (i) => 1 / factors[unit(i)]!) };
}

/** A bias with every unit moved by its own amount. */
function shifted(name: string, weights: Tensors<"float32">): Tensors<"float32"> {
  const { shape, data } = weights[name]!;
  const moves = uniform(split(key(0), "shift"), data.length);
  return {
    [name]: float32(
      shape,
      data.map((v, i) => v + moves[i]!),
    ),
  };
}

const FACTORS = [0.5, 1, 2, 4]; // powers of two: exact; our choice

/** The unit of an entry of [O,…]. */
function outgoingUnit({ data }: Tensor, units: number): (i: number) => number {
  const each = data.length / units;
  return (i) => Math.floor(i / each);
}

/** The unit that an entry of [O′,O·K,…] reads: K entries of the second axis a unit, as flattened channels lie. */
function incomingUnit({ shape, data }: Tensor, units: number): (i: number) => number {
  const each = data.length / shape[0]!; // of one output
  const perUnit = each / units;
  return (i) => Math.floor((i % each) / perUnit);
}

function named(prefix: string, tensors: Tensors<"float32">): Tensors<"float32"> {
  return Object.fromEntries(Object.entries(tensors).map(([name, t]) => [prefix + name, t]));
}
