import { describe, expect, test } from "vitest";
import { PRIME, recoverSecret, seededRandom, shareSecret } from "../../src/secure/index.ts";
import { key } from "../../src/util/index.ts";
import { chiSquare } from "./chi-square.ts";

const random = seededRandom(key(1));
const secret = random(32);
const holders = [1, 2, 4, 7, 300];
const shares = shareSecret(secret, { holders, threshold: 3, random });

describe("secret sharing", () => {
  test("any three of five shares give the secret, in any order", () => {
    for (const a of shares) {
      for (const b of shares) {
        for (const c of shares) {
          if (new Set([a, b, c]).size === 3) expect(recoverSecret([a, b, c], 3)).toEqual(secret);
        }
      }
    }
  });

  test("the extreme secrets too", () => {
    for (const byte of [0, 255]) {
      const extreme = new Uint8Array(32).fill(byte);
      expect(recoverSecret(shareSecret(extreme, { holders, threshold: 5, random }), 5)).toEqual(extreme);
    }
  });

  test("two are not enough, and a share of another secret gives a wrong one", () => {
    expect(() => recoverSecret(shares.slice(0, 2), 3)).toThrow(/a secret needs 3 shares; got 2/);
    const other = shareSecret(random(32), { holders, threshold: 3, random });
    const mixed = () => recoverSecret([shares[0]!, shares[1]!, other[2]!], 3);
    let recovered: Uint8Array | undefined;
    try {
      recovered = mixed();
    } catch {
      // above 2^256: refused
    }
    expect(recovered).not.toEqual(secret);
  });

  test("one share of a fixed secret is uniform over fresh draws", () => {
    const bytes = (threshold: number) =>
      Array.from({ length: 200 }, () => [
        ...shareSecret(new Uint8Array(32), { holders: [1, 2], threshold, random })[0]!.value.subarray(1), // 2^256 and beyond: rare
      ]).flat();
    expect(chiSquare(bytes(2))).toBeLessThan(400); // 255 ± 22.6: six deviations
    expect(chiSquare(bytes(1))).toBeGreaterThan(1e5); // a threshold of one hides nothing
  });

  test("the prime is one, above every secret", () => {
    expect(PRIME).toBeGreaterThan(2n ** 256n);
    for (const base of [2n, 3n, 5n, 7n, 11n, 13n]) expect(power(base, PRIME - 1n)).toBe(1n); // Fermat
  });

  test("refuses holders and thresholds that make no sense", () => {
    expect(() => shareSecret(secret, { holders: [1, 1], threshold: 2, random })).toThrow(/different whole numbers/);
    expect(() => shareSecret(secret, { holders: [0, 1], threshold: 2, random })).toThrow(/whole numbers ≥ 1; got 0/);
    expect(() => shareSecret(secret, { holders: [1, 2], threshold: 3, random })).toThrow(/from 1 to 2/);
    expect(() => shareSecret(secret.subarray(1), { holders, threshold: 3, random })).toThrow(/32 bytes; got 31/);
    expect(() => recoverSecret([shares[0]!, shares[0]!, shares[1]!], 3)).toThrow(/different/);
    expect(() =>
      recoverSecret(
        shares.map((s) => ({ ...s, value: new Uint8Array(33).fill(255) })),
        3,
      ),
    ).toThrow(/prime/);
  });
});

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base];
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * square) % PRIME;
    square = (square * square) % PRIME;
  }
  return result;
}
