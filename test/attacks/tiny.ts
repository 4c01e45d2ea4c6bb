import {
  type AttackPlan,
  completeSettings,
  findAttack,
  prepareAttack,
  type SettingValue,
} from "../../src/attacks/index.ts";
import { type Capability, clientGradientStep, type Observation, observe, type Weights } from "../../src/fl/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise, type Mode, type Model } from "../../src/nn/index.ts";
import { float32, type Shape, sizeOf, type Tensor, type Tensors } from "../../src/tensor/index.ts";
import { key, normal, split, uniform } from "../../src/util/index.ts";

/** Smooth images [B,C,H,W] in [0,1]: a few plane waves each, so that they are neither flat nor noise. */
export function waves(shape: Shape, seed: number): Tensor<"float32"> {
  const [b, c, h, w] = shape as [number, number, number, number];
  const data = new Float32Array(sizeOf(shape));
  for (let plane = 0; plane < b * c; plane++) {
    const [p, q, phase] = uniform(split(key(seed), plane), 3) as unknown as [number, number, number];
    for (let i = 0; i < h * w; i++) {
      const angle = 2 * Math.PI * ((p * Math.floor(i / w)) / h + (q * (i % w)) / w + phase);
      data[plane * h * w + i] = 0.5 + 0.4 * Math.sin(angle);
    }
  }
  return float32(shape, data);
}

/** A client's batch and what it sends: 8 × 8 grey images through a small network. */
export interface Case {
  readonly model: Model;
  readonly weights: Weights;
  readonly images: Tensor<"float32">;
  readonly labels: readonly number[];
  readonly mode: Mode;
}

export function mlpCase(labels: readonly number[], options: Readonly<Record<string, unknown>> = {}): Case {
  const model = buildModel("mlp3", {
    inputShape: [1, 8, 8],
    classes: 5,
    hidden: 24,
    activation: "sigmoid",
    ...options,
  });
  return caseOf(model, labels, "eval");
}

/** A residual network with BatchNorm in train mode. */
export function resNetCase(labels: readonly number[]): Case {
  const model = buildModel("resnet10", { inputShape: [1, 8, 8], classes: 5, width: 2, activation: "sigmoid" });
  return caseOf(model, labels, "train");
}

export function lenetCase(labels: readonly number[]): Case {
  const options = { inputShape: [1, 8, 8], classes: 5, init: "dlg-uniform" };
  return caseOf(buildModel("lenet-sigmoid", options), labels, "eval");
}

function caseOf(model: Model, labels: readonly number[], mode: Mode): Case {
  const images = waves([labels.length, ...model.inputShape], 5);
  return { model, weights: initialise(model, key(11)), images, labels, mode };
}

export async function observed(of: Case, granted: readonly Capability[] = ["batch-size"]): Promise<Observation> {
  return observe(await clientGradientStep({ ...of, threads: 1 }), granted);
}

/** The observation with its update replaced by noise of the same norm in each tensor: nothing to be found in it. */
export function scrambled(observation: Observation, seed = 99): Observation {
  const noise = (name: string, t: Tensor<"float32">) => {
    const draws = normal(split(key(seed), name), t.data.length);
    const norm = (values: ArrayLike<number>) => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));
    const scale = norm(t.data) / norm(draws);
    return float32(
      t.shape,
      draws.map((v) => v * scale),
    );
  };
  const update: Tensors<"float32"> = Object.fromEntries(
    Object.entries(observation.update).map(([name, t]) => [name, noise(name, t)]),
  );
  return { ...observation, update };
}

/** A prepared attack on a case; one thread, key 1 unless told. */
export async function attackOn(
  of: Case,
  preset: string,
  overrides: Readonly<Record<string, SettingValue>> = {},
  plan: Partial<AttackPlan> = {},
) {
  const attack = findAttack(preset);
  return prepareAttack({
    model: of.model,
    observation: plan.observation ?? (await observed(of)),
    attack,
    settings: completeSettings(attack, overrides),
    key: key(1),
    threads: 1,
    ...plan,
  });
}

/** Mean squared difference. */
export function mse(a: Tensor<"float32">, b: Tensor<"float32">): number {
  return a.data.reduce((sum, v, i) => sum + (v - b.data[i]!) ** 2, 0) / a.data.length;
}

/** The names under which two sets of tensors are not equal bit for bit. */
export function differing(a: Tensors, b: Tensors): string[] {
  const bytes = (t: Tensor | undefined) => t && Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength);
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => {
    const [left, right] = [bytes(a[name]), bytes(b[name])];
    return !left || !right || !left.equals(right);
  });
}
