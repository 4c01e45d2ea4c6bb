import type { Layer } from "./layers.ts";
import type { Place } from "./place.ts";

type Activation = Extract<Layer, { kind: "activation" }>;

/**
 * The place before an activation from the place after it: z = act⁻¹(a), δ_z = act′(z)·δ_a, trust act′(z).
 *
 * Where an activation has no inverse, at a zero of ReLU or at a value that rounding has put past a sigmoid's range, z is
 * unknown: trust 0. An error of a grows by 1/act′ on its way to z, so act′ is how much a value may be trusted.
 */
export function invert(layer: Activation, { values, delta }: Place): Place {
  const slopes = values.map(slopeAt(layer, values));
  return {
    values: values.map((a, i) => (slopes[i] === 0 ? 0 : inverseOf(layer, a))),
    trust: slopes,
    delta: delta.map((d, i) => d * slopes[i]!),
  };
}

const ZERO = 1e-6; // our choice: of the largest value; solved feature maps are exact to about 1e-7

/** act′ at the value a = act(z). */
function slopeAt(layer: Activation, values: Float64Array): (a: number) => number {
  const largest = values.reduce((most, a) => Math.max(most, Math.abs(a)), 0);
  if (layer.of === "relu") return (a) => (a > ZERO * largest ? 1 : 0);
  if (layer.of === "leaky-relu") return (a) => (a >= 0 ? 1 : layer.slope);
  if (layer.of === "sigmoid") return (a) => Math.max(0, a * (1 - a));
  return (a) => Math.max(0, 1 - a * a);
}

function inverseOf(layer: Activation, a: number): number {
  if (layer.of === "leaky-relu") return a >= 0 ? a : a / layer.slope;
  if (layer.of === "sigmoid") return Math.log(a / (1 - a));
  return layer.of === "tanh" ? Math.atanh(a) : a;
}
