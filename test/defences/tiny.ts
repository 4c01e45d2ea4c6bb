import { DEFENCES, type Update } from "../../src/defences/index.ts";
import type { GradientStep } from "../../src/fl/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key, normal, uniform } from "../../src/util/index.ts";

/** A client of four images and a network of 8 hidden units, without BatchNorm. */
export function tinyStep(seed = 1, batch = 4): GradientStep {
  const model = buildModel("mlp3", { inputShape: [1, 4, 4], classes: 3, hidden: 8 });
  return {
    model,
    weights: initialise(model, key(seed + 100)),
    images: float32([batch, 1, 4, 4], uniform(key(seed), batch * 16)),
    labels: Array.from({ length: batch }, (_, b) => b % 3),
    mode: "train",
    threads: 1,
  };
}

/** An update of two tensors of N(0,1). */
export function normalUpdate(seed = 1, sizes: readonly [number, number] = [600, 40]): Update {
  const [a, b] = sizes;
  return {
    "a.weight": float32([a / 20, 20], normal(key(seed), a)),
    "a.bias": float32([b], normal(key(seed + 1), b)),
  };
}

const usualStep = tinyStep();

/** What an update defence makes of an update; the step is the tiny one's. */
export async function applied(
  name: string,
  update: Update,
  settings: Readonly<Record<string, number | string>> = {},
  { seed = 7, step = usualStep } = {},
): Promise<Update> {
  const { defence, settings: complete } = completed(name, settings);
  if (defence.stage !== "update") throw new Error(`${name} does not act on one update`);
  return defence.apply(update, { settings: complete, key: key(seed), step });
}

/** Usual settings with some replaced, without their check: for what lies at the edge of a range. */
function completed(name: string, settings: Readonly<Record<string, number | string>>) {
  const defence = DEFENCES[name]!;
  const usual = Object.fromEntries(Object.entries(defence.settings).map(([setting, spec]) => [setting, spec.usual]));
  return { defence, settings: { ...usual, ...settings } };
}

export const flat = (update: Update): number[] => Object.values(update).flatMap(({ data }) => [...data]);
export const norm = (values: readonly number[]): number => Math.hypot(...values);
export const minus = (a: Update, b: Update): number[] => {
  const other = flat(b);
  return flat(a).map((value, i) => value - other[i]!);
};
