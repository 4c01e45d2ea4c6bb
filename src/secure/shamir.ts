import { Field } from "@noble/curves/abstract/modular.js";
import { bytesToNumberBE, numberToBytesBE } from "@noble/curves/utils.js";
import { fail } from "../util/index.ts";
import type { Random } from "./random.ts";

/** One holder's share of a secret. */
export interface Share {
  /** Its place x ≥ 1: the number of the client who holds it. */
  readonly holder: number;
  /** The polynomial's value there, SHARE_BYTES bytes. */
  readonly value: Uint8Array;
}

export const SECRET_BYTES = 32;
export const SHARE_BYTES = 33;

/** 2^256 + 297, the smallest prime above every secret of 32 bytes. */
export const PRIME = 2n ** 256n + 297n;

/**
 * Shares of a 32-byte secret for these holders, in their order: any `threshold` of them give it, fewer say nothing about it.
 *
 * f(x) = secret + a_1 x + … + a_{t−1} x^{t−1} over the integers modulo PRIME with uniform a_k; the share of x is f(x).
 * Arithmetic is @noble/curves', on bigints, so its time is not constant. No npm library fits: those that are kept draw
 * their coefficients by themselves, so that no run could be repeated, and allow 255 holders.
 * Source: Shamir, "How to share a secret", CACM 1979. Throws FedleakError at holders or a threshold that make no sense.
 */
export function shareSecret(
  secret: Uint8Array,
  {
    holders,
    threshold,
    random,
  }: { readonly holders: readonly number[]; readonly threshold: number; readonly random: Random },
): Share[] {
  if (secret.length !== SECRET_BYTES) complain(`a secret must have ${SECRET_BYTES} bytes`, `${secret.length}`);
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > holders.length) {
    complain(`the threshold must be a whole number from 1 to ${holders.length}, the number of holders`, `${threshold}`);
  }
  checkHolders(holders);
  const coefficients = [
    bytesToNumberBE(secret),
    ...Array.from({ length: threshold - 1 }, () => uniformElement(random)),
  ];
  return holders.map((holder) => {
    const x = BigInt(holder);
    const y = coefficients.reduceRight((sum, a) => field.add(field.mul(sum, x), a), 0n); // Horner
    return { holder, value: numberToBytesBE(y, SHARE_BYTES) };
  });
}

/**
 * The secret from `threshold` of its shares or more, by Lagrange's interpolation at 0 of the first of them.
 *
 * Throws FedleakError when there are too few, or they cannot be of one secret. Shares of different secrets, or changed ones,
 * give a wrong secret: check it where something known depends on it.
 */
export function recoverSecret(shares: readonly Share[], threshold: number): Uint8Array {
  if (shares.length < threshold) complain(`a secret needs ${threshold} shares`, `${shares.length}`);
  checkHolders(shares.map(({ holder }) => holder));
  const points = shares.slice(0, threshold).map(({ holder, value }) => {
    if (value.length !== SHARE_BYTES || bytesToNumberBE(value) >= PRIME) {
      complain("a share must be a number below the prime", `${value.length} bytes of client ${holder}`);
    }
    return { x: BigInt(holder), y: bytesToNumberBE(value) };
  });
  const secret = points.reduce((sum, { x, y }) => {
    const [above, below] = points.reduce(
      ([a, b], other) => (other.x === x ? [a, b] : [field.mul(a, other.x), field.mul(b, field.sub(other.x, x))]),
      [1n, 1n],
    );
    return field.add(sum, field.mul(y, field.div(above, below)));
  }, 0n);
  if (secret >= 2n ** 256n) complain("the shares must be of one secret", "shares that contradict each other");
  return numberToBytesBE(secret, SECRET_BYTES);
}

const field = Field(PRIME);

/** 48 bytes modulo PRIME: further than 2^-127 from uniform by no test. */
function uniformElement(random: Random): bigint {
  return bytesToNumberBE(random(48)) % PRIME;
}

function checkHolders(holders: readonly number[]): void {
  const wrong = holders.find((holder, i) => !Number.isInteger(holder) || holder < 1 || holders.indexOf(holder) !== i);
  if (wrong !== undefined) complain("holders must be different whole numbers ≥ 1", `${wrong}`);
}

function complain(must: string, got: string): never {
  return fail({ who: "secret sharing", must, got, remedy: "Check who takes part in the round." });
}
