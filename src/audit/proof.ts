import type { AttackRun } from "../attacks/index.ts";
import { clientGradientStep, type Observation } from "../fl/index.ts";
import type { Model } from "../nn/index.ts";
import type { Device } from "../runtime/index.ts";
import type { Tensors } from "../tensor/index.ts";

/** What a closed form's images rest on. */
export interface Proof {
  /** Whether all images were found. */
  readonly complete: boolean;
  /** The solver's own largest relative residual. */
  readonly relativeResidual: number;
  /** The least cosine, over the tensors, of the gradient of its images to the update. */
  readonly leastCosine: number;
}

export const EXPLAINS = 0.99; // least cosine of a tensor; our choice, noise gives about 0
export const SOLVES = 1e-2; // relative residual; our choice: about 1e-6 of a sound gradient, above 0.1 of weights 10 % off

/**
 * Whether a closed form's images are proven: all were found, its equations hold, and they explain the update tensor by tensor.
 *
 * The cosine over all parameters is no test: it is mostly the head's, which the labels alone explain.
 */
export function isProven({ complete, relativeResidual, leastCosine }: Proof): boolean {
  return complete && relativeResidual <= SOLVES && leastCosine >= EXPLAINS;
}

/** What a closed form gave: its last state, the cosine over all parameters, and what these rest on. */
export interface SolvedForm extends Proof {
  readonly state: AttackRun["initial"];
  readonly cosine: number;
  readonly about: string;
}

/** Runs a closed form and measures what an attacker can know of its images. */
export async function solveForm(
  attack: AttackRun,
  where: {
    readonly model: Model;
    readonly observation: Observation;
    readonly device: Device;
    readonly threads: number;
  },
): Promise<SolvedForm> {
  const { model, observation, device, threads } = where;
  const { state, cosine } = await attack.step(attack.initial);
  const { complete, relativeResidual, about } = attack.solution!(state);
  const { images } = await attack.probe(state);
  const { global: weights, mode } = observation;
  const labels = attack.inferredLabels(state);
  const made = await clientGradientStep({ model, weights, images, labels, mode, device, threads });
  const least = leastCosine(made.update, observation.update);
  return { state, cosine, complete, relativeResidual, leastCosine: least, about };
}

/** `the least of a tensor 0.9990` and `equations hold to 1e-6`, for verdicts. */
export function proofText({ leastCosine: least, relativeResidual }: Proof): string {
  return `cosine of a tensor at least ${least.toFixed(4)}, equations hold to ${relativeResidual.toExponential(0)}`;
}

const NEGLIGIBLE = 1e-6; // of the update's norm; our choice: fainter tensors may be rounding of a float32 difference

/** The least cosine over the tensors of `update` that are not negligible, in [−1,1]; 0 where one is not finite. */
export function leastCosine(made: Tensors<"float32">, update: Tensors<"float32">): number {
  const rows = Object.entries(update).map(([name, { data }]) => {
    const other = made[name]!.data;
    return { own: dot(data, data), other: dot(other, other), product: dot(data, other) };
  });
  const total = rows.reduce((sum, { own }) => sum + own, 0);
  const cosines = rows
    .filter(({ own }) => !(own <= NEGLIGIBLE ** 2 * total))
    .map(({ own, other, product }) => product / Math.sqrt(own * other))
    .map((cosine) => (Number.isFinite(cosine) ? Math.min(1, Math.max(-1, cosine)) : 0));
  return cosines.length === 0 ? 0 : Math.min(...cosines);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
