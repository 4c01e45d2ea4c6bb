import { add, exp, grad, input, maximum, mean, minimum, mul, type Node, square, sub, sum } from "../../graph/index.ts";
import {
  buildDecoder,
  buildEncoder,
  buildRestorer,
  type Decoder,
  type Encoder,
  type Restorer,
} from "../../models/index.ts";
import { initialise, inputsFor, type ParamSpec } from "../../nn/index.ts";
import { adam, descend, globalNorm, type Nodes, scalarInputs, zeroState } from "../../optim/index.ts";
import type { Tensors } from "../../tensor/index.ts";
import type { Key } from "../../util/index.ts";
import { degrade, smallShape } from "./degrade.ts";
import type { PriorSpec } from "./spec.ts";

/** The networks that are trained together; the encoder is thrown away at the end. */
export interface PriorNetworks {
  readonly encoder: Encoder;
  readonly decoder: Decoder;
  readonly restorer: Restorer;
}

type Shape3 = readonly [number, number, number];

/** imageShape [C,H,W]; classes: 0, or N for a decoder that is told them. */
export function priorNetworks(spec: PriorSpec, imageShape: Shape3, classes: number): PriorNetworks {
  const both = { imageShape, classes, latent: spec.latent, channels: spec.channels };
  const { restorerChannels: channels, restorerBlocks: blocks } = spec;
  return {
    encoder: buildEncoder(both),
    decoder: buildDecoder(both),
    restorer: buildRestorer({ colours: imageShape[0], channels, blocks }),
  };
}

/** Prefixes of the networks' tensors. */
export const [ENCODER, DECODER, RESTORER] = ["encoder.", "decoder.", "restorer."] as const;
/** Outputs that are the next state: this and the tensor's name. */
export const NEXT = "next.";
export const RATE = "learning-rate";
/** The optimiser: what it remembers and is fed. Adam with its usual constants. */
export const priorOptimiser = adam();

/** Of the state the tensors that outlive the training: the decoder’s and the restorer’s. */
export function keptTensors(state: Tensors<"float32">): Tensors<"float32"> {
  const kept = Object.entries(state).filter(([name]) => name.startsWith(DECODER) || name.startsWith(RESTORER));
  return Object.fromEntries(kept);
}

/** All trained tensors and the optimiser's memory before the first step. */
export function initialTensors(networks: PriorNetworks, key: Key): Tensors<"float32"> {
  const params = initialise({ params: allParams(networks), buffers: [] }, key).params;
  const shapes = Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, shape]));
  return { ...params, ...zeroState(priorOptimiser, shapes) };
}

/** Names of the program's inputs beside state, rate and scalars. */
export const FEEDS = {
  images: "images",
  labels: "labels",
  /** [B,L], N(0,1) */
  codeNoise: "code-noise",
  /** [B,C,h,w], N(0,1) */
  imageNoise: "image-noise",
  /** [B,1,1,1] */
  deviation: "deviation",
} as const;

/** What the networks make of a batch. */
export interface PriorForward {
  /** The code's mean and logarithm of the variance, [B,L]. */
  readonly mean: Node;
  readonly logVariance: Node;
  /** decode(code), [B,C,H,W] in (0,1). */
  readonly decoded: Node;
  /** What the restorer was given, and what it made of it. */
  readonly degraded: Node;
  readonly restored: Node;
}

/** images [B,C,H,W]; the other inputs as FEEDS tells. Without `codeNoise` the code is its mean. */
export function priorForward(
  networks: PriorNetworks,
  spec: PriorSpec,
  { batch, codeNoise }: { readonly batch: number; readonly codeNoise: boolean },
): PriorForward & { readonly images: Node } {
  const { encoder, decoder, restorer } = networks;
  const shape = [batch, ...decoder.imageShape];
  const images = input(FEEDS.images, shape);
  const labels = decoder.classes > 0 ? input(FEEDS.labels, [batch, decoder.classes]) : undefined;
  const { mean, logVariance } = encoder.forward({ params: inputsFor(encoder.params, ENCODER), images, labels });
  const spread = codeNoise ? mul(exp(mul(logVariance, 0.5)), input(FEEDS.codeNoise, mean.shape)) : undefined;
  const decoded = decoder.forward({
    params: inputsFor(decoder.params, DECODER),
    z: spread ? add(mean, spread) : mean,
    labels,
  });
  const degraded = degrade(images, {
    downscale: spec.downscale,
    noise: input(FEEDS.imageNoise, smallShape(shape, spec.downscale)),
    deviation: input(FEEDS.deviation, [batch, 1, 1, 1]),
  });
  const restored = restorer.forward({ params: inputsFor(restorer.params, RESTORER), images: degraded });
  return { images, mean, logVariance, decoded, degraded, restored };
}

/**
 * One training step of encoder, decoder and restorer as one program: state in, next state and the two errors out.
 *
 * decoder: mean (x − decode(z))² + klWeight/(C·H·W)·mean_b KL(N(μ,σ²) ‖ N(0,I)), z = μ + σ·ε, KL = ½Σ(μ² + σ² − ln σ² − 1);
 * restorer: mean (x − restore(degrade x))². The two share no tensor, so their sum trains each as if alone.
 * Source: Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, with a Gaussian decoder of fixed variance.
 */
export function trainingGraph(networks: PriorNetworks, spec: PriorSpec): Readonly<Record<string, Node>> {
  const made = priorForward(networks, spec, { batch: spec.batch, codeNoise: true });
  const { images, mean: mu, logVariance } = made;
  const error = (to: Node) => mean(square(sub(images, to)));
  const excess = sub(add(square(mu), exp(logVariance)), add(logVariance, 1));
  const divergence = mul(sum(excess), spec.klWeight / (2 * images.shape.reduce((a, b) => a * b)));
  const [decoding, restoring] = [error(made.decoded), error(made.restored)];
  const loss = add(add(decoding, divergence), restoring);
  const variables = inputsFor(allParams(networks), "");
  const names = Object.keys(variables);
  const gradients = grad(loss, Object.values(variables));
  const after = descend({
    transform: priorOptimiser,
    variables,
    gradients: Object.fromEntries(names.map((name, i) => [name, gradients[i]!])),
    state: memoryOf(variables),
    scalars: scalarInputs(priorOptimiser),
    learningRate: input(RATE, []),
  });
  const next = { ...after.variables, ...after.state };
  return {
    ...Object.fromEntries(Object.entries(next).map(([name, node]) => [NEXT + name, node])),
    loss,
    decoding,
    restoring,
    norm: globalNorm(after.variables),
  };
}

/** Codes drawn from N(0,1), the input `codeNoise` [count,L], decoded: [count,C,H,W]. */
export function sampleGraph({ decoder }: PriorNetworks, count: number): Node {
  return decoder.forward({
    params: inputsFor(decoder.params, DECODER),
    z: input(FEEDS.codeNoise, [count, decoder.latent]),
    labels: decoder.classes > 0 ? input(FEEDS.labels, [count, decoder.classes]) : undefined,
  });
}

/** Images put into [0,1]. */
export function clamped(x: Node): Node {
  return minimum(maximum(x, 0), 1);
}

function memoryOf(variables: Nodes): Nodes {
  const slots = priorOptimiser.slots.flatMap((slot) =>
    Object.entries(variables).map(([name, { shape }]) => [`${slot}.${name}`, input(`${slot}.${name}`, shape)] as const),
  );
  return Object.fromEntries(slots);
}

function allParams({ encoder, decoder, restorer }: PriorNetworks): ParamSpec[] {
  return [
    [ENCODER, encoder.params] as const,
    [DECODER, decoder.params] as const,
    [RESTORER, restorer.params] as const,
  ].flatMap(([prefix, specs]) => specs.map((spec) => ({ ...spec, name: prefix + spec.name })));
}
