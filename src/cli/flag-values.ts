import { InvalidArgumentError } from "commander";
import ms, { type StringValue } from "ms";

/** Reads a flag's text as a whole number from `least` to `most`. */
export function wholeFrom(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`;
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number ${range}.`);
  };
}

/** Reads a flag's text as a duration with its unit, as 90s, 10m or 2h; in milliseconds, above 0. */
export function duration(text: string): number {
  const value = /^\s*[\d.]+\s*[a-z]+\s*$/i.test(text) ? ms(text as StringValue) : undefined;
  if (value !== undefined && value > 0) return value;
  throw new InvalidArgumentError("It must be a time with its unit, as 90s, 10m or 2h.");
}

/** Reads a flag's text as a number ≥ 0. */
export function notNegative(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0) return value;
  throw new InvalidArgumentError("It must be a number from 0 on, as 1e-4 or 0.0001.");
}
