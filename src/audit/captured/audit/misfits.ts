import { type Column, columnSpans } from "../../../data/index.ts";
import type { Images } from "../../../metrics/index.ts";
import { largestOf } from "../../../tensor/index.ts";

const SLACK = 1e-3; // of a range; our choice: rounding of a sound gradient gives 1e-6, a wrong range more

/**
 * Where rows that were solved for leave the columns that the manifest states, one clause a column.
 *
 * rows [B,1,1,D] in units of the columns' ranges, not clamped; error: how far the solution itself may be off, as a share.
 * None where every number lies in [0,1] and every category is a 1 among 0s.
 */
export function rowMisfits({ shape, data }: Images, columns: readonly Column[], error: number): string[] {
  const slack = Math.max(SLACK, error);
  const width = data.length / shape[0]!;
  return columnSpans(columns).flatMap((span, c) => {
    const column = columns[c]!;
    const told = Array.from({ length: shape[0]! }, (_, i) => {
      const numbers = data.subarray(i * width + span.from, i * width + span.from + span.width);
      return misfit(numbers, column, slack);
    });
    const rows = told.flatMap((text, i) => (text === undefined ? [] : [i]));
    if (rows.length === 0) return [];
    const more = rows.length === 1 ? "" : `, as in ${rows.length - 1} more`;
    return [`column "${column.name}": ${told[rows[0]!]} (row ${rows[0]}${more})`];
  });
}

/** The same of images: their numbers are not those in [0,1] that the manifest's normalisation makes of them. */
export function imageMisfits({ data }: Images, error: number): string[] {
  const slack = Math.max(SLACK, error);
  const [low, high] = data.reduce(([least, most], v) => [Math.min(least, v), Math.max(most, v)], [0, 1]);
  if (low >= -slack && high <= 1 + slack) return [];
  return [`pixels: ${shown(low)} to ${shown(high)} is more than the 0 to 1 that the stated normalisation leaves`];
}

function misfit(numbers: Float32Array, column: Column, slack: number): string | undefined {
  if (column.kind === "numeric") {
    const value = numbers[0]!;
    if (value >= -slack && value <= 1 + slack) return undefined;
    const { min, max } = column;
    return `${shown(min + value * (max - min))} lies outside the stated ${min} to ${max}`;
  }
  const one = largestOf(numbers, 0, numbers.length);
  if (numbers.every((v, k) => Math.abs(v - (k === one ? 1 : 0)) <= slack)) return undefined;
  return `${[...numbers.subarray(0, SHOWN)].map(shown).join(", ")}${numbers.length > SHOWN ? ", …" : ""} is no 1 among 0s`;
}

const SHOWN = 6; // numbers of a column that are told; our choice

const shown = (value: number) => String(Number(value.toPrecision(4)));
