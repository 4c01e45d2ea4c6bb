import { float32 } from "../tensor/index.ts";
import { type Key, normal, split } from "../util/index.ts";
import type { Update } from "./types.ts";

/** A new update of the same shapes, tensor by tensor. */
export function mapTensors(update: Update, change: (data: Float32Array, name: string) => ArrayLike<number>): Update {
  return Object.fromEntries(
    Object.entries(update).map(([name, { shape, data }]) => [name, float32(shape, change(data, name))]),
  );
}

/** ‖u‖₂ over all entries of all tensors, summed in float64. */
export function normOf(update: Update): number {
  let sum = 0;
  for (const { data } of Object.values(update)) for (const value of data) sum += value * value;
  return Math.sqrt(sum);
}

/** u / max(1, ‖u‖₂ / clip): no longer than `clip`, in the same direction. */
export function clipTo(update: Update, clip: number): Update {
  const factor = 1 / Math.max(1, normOf(update) / clip);
  return factor === 1 ? update : mapTensors(update, (data) => data.map((value) => value * factor));
}

/** Each entry plus an independent draw from N(0, deviation²); tensors draw from keys split by their names. */
export function addNormal(update: Update, deviation: number, key: Key): Update {
  return mapTensors(update, (data, name) => {
    const draws = normal(split(key, name), data.length);
    return data.map((value, i) => value + deviation * draws[i]!);
  });
}
