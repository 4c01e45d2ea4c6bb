import { buildGenerator } from "../../models/index.ts";
import { initialise } from "../../nn/index.ts";
import type { Nodes } from "../../optim/index.ts";
import { float32, type Shape } from "../../tensor/index.ts";
import { normal, split } from "../../util/index.ts";
import type { AttackSettings } from "../settings.ts";
import type { Parameterisation } from "./types.ts";

// Prefixes of the state's tensors: the optimised weights, and what spectral normalisation remembers.
const [THETA, MEMORY, LATENT] = ["theta.", "generator.", "z"] as const;

/**
 * The images are G_θ(z): the weights θ of an untrained convolutional generator are optimised, z ~ N(0,1) is fixed.
 *
 * shape [B,C,H,W]; z [B,generatorLatent], one vector an image. The generator's form is a prior on images: it makes smooth
 * ones sooner than noise. Source: FedLeak's released program; Ulyanov et al., "Deep image prior", CVPR 2018.
 */
export function generator(
  shape: Shape,
  {
    generatorChannels: channels,
    generatorLatent: latent,
  }: Pick<AttackSettings, "generatorChannels" | "generatorLatent">,
): Parameterisation {
  const batchSize = shape[0]!;
  const net = buildGenerator({ imageShape: shape.slice(1), channels, latent });
  const shapes = (prefix: string, specs: typeof net.params) =>
    Object.fromEntries(specs.map((spec) => [prefix + spec.name, spec.shape]));
  return {
    variables: shapes(THETA, net.params),
    buffers: shapes(MEMORY, net.buffers),
    fixed: { [LATENT]: [batchSize, latent] },
    initial: (key) => {
      const { params, buffers } = initialise(net, split(key, "theta"));
      const z = float32([batchSize, latent], normal(split(key, "z"), batchSize * latent));
      return { ...prefixed(THETA, params), ...prefixed(MEMORY, buffers), [LATENT]: z };
    },
    decode: (tensors) => {
      const [params, buffers] = [within(THETA, tensors), within(MEMORY, tensors)];
      const made = net.forward({ params, buffers, z: tensors[LATENT]! });
      return { images: made.images, buffers: prefixed(MEMORY, made.buffers) };
    },
    project: (variables) => variables, // a sigmoid keeps the images in (0,1)
  };
}

function prefixed<T>(prefix: string, values: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
}

function within(prefix: string, nodes: Nodes): Nodes {
  const own = Object.entries(nodes).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, node]) => [name.slice(prefix.length), node]));
}
