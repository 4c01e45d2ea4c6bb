import { fail } from "../util/index.ts";

/** How numbers become integers modulo 2^32 whose sums over clients do not overflow. */
export interface FixedPoint {
  /** Numbers are in [−range, range]. */
  readonly range: number;
  /** U, the most clients that a sum may have. */
  readonly clients: number;
  /** L, the largest integer of one client. */
  readonly levels: number;
  /** What an integer of 1 stands for: range / L. */
  readonly step: number;
}

/** More clients than one sum may have; our choice: at least 2^15 levels on each side of zero are left. */
export const MOST_CLIENTS = 65535;

/**
 * The finest fixed point in which U clients' numbers can be added modulo 2^32.
 *
 * L = ⌊(2^31 − 1) / U⌋. No overflow: an entry of one client has |q| ≤ L, so of any n ≤ U clients |Σ q| ≤ n·L ≤ 2^31 − 1;
 * two's complement in 32 bits holds −2^31 … 2^31 − 1, so the sum modulo 2^32, read as a signed integer, is the sum itself.
 * Throws FedleakError unless range is finite and above 0 and 1 ≤ U ≤ 65535.
 */
export function fixedPoint({ range, clients }: Pick<FixedPoint, "range" | "clients">): FixedPoint {
  if (!(range > 0 && Number.isFinite(range) && range >= SMALLEST_RANGE)) {
    complain(
      `range must be a finite number of at least ${SMALLEST_RANGE}`,
      `${range}`,
      "Pass the largest entry that may occur.",
    );
  }
  if (!Number.isInteger(clients) || clients < 1 || clients > MOST_CLIENTS) {
    complain(
      `clients must be a whole number from 1 to ${MOST_CLIENTS}`,
      `${clients}`,
      "Add the updates in several groups.",
    );
  }
  const levels = Math.floor((2 ** 31 - 1) / clients);
  return { range, clients, levels, step: range / levels };
}

const SMALLEST_RANGE = 1e-30; // our choice: far from where a step would lose bits to underflow

/**
 * The nearest integers round(x / step) modulo 2^32, [d].
 *
 * Nothing is clipped: throws FedleakError at a number outside [−range, range] or none at all.
 */
export function quantised(values: ArrayLike<number>, { range, levels, step }: FixedPoint): Uint32Array {
  const out = new Uint32Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const value = values[i]!;
    if (!(Math.abs(value) <= range)) {
      const remedy = "Agree on a larger range, or clip the update.";
      complain(`every entry must be a number from −${range} to ${range}`, `${value} at ${i}`, remedy);
    }
    out[i] = Math.max(-levels, Math.min(levels, Math.round(value / step))); // the division may round up past L
  }
  return out;
}

/**
 * The numbers that a sum of quantised entries stands for, [d] in float64.
 *
 * For n ≤ U clients each differs from the sum of what went in by at most n times `roundingBound`, so their mean by at most it.
 */
export function opened(sum: Uint32Array, { step }: FixedPoint): Float64Array {
  const signed = new Int32Array(sum.buffer, sum.byteOffset, sum.length);
  return Float64Array.from(signed, (value) => value * step);
}

/** The largest error of one quantised entry: half a step, and 2^-20 of a step for rounding in float64, as |x / step| < 2^31. */
export function roundingBound({ step }: FixedPoint): number {
  return step * (0.5 + 2 ** -20);
}

function complain(must: string, got: string, remedy: string): never {
  return fail({ who: "fixed point", must, got, remedy });
}
