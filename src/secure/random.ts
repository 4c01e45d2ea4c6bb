import { type Key, split, uniform } from "../util/index.ts";

/** A source of random bytes; every call gives fresh ones. All secrets of a protocol are drawn from one that is passed in. */
export type Random = (count: number) => Uint8Array;

/** The platform's cryptographic generator (Web Crypto): the one for secrets that must stay secret. */
export const systemRandom: Random = (count) => {
  const bytes = new Uint8Array(count);
  for (let start = 0; start < count; start += MOST_AT_ONCE) {
    crypto.getRandomValues(bytes.subarray(start, start + MOST_AT_ONCE));
  }
  return bytes;
};

const MOST_AT_ONCE = 65536; // bytes that getRandomValues gives in one call; Web Crypto, section 10.1.1

/**
 * The same bytes for the same key, for tests and simulations that must repeat: whoever knows the seed knows every secret.
 *
 * Call i draws from split(key, i), so what a call gives depends on the calls before it.
 */
export function seededRandom(key: Key): Random {
  let calls = 0;
  return (count) => {
    const words = uniform(split(key, calls++), Math.ceil(count / 4));
    const bytes = new Uint8Array(Uint32Array.from(words, (word) => word * 2 ** 32).buffer); // `uniform` has 32 bits a number
    return bytes.subarray(0, count);
  };
}
