/**
 * Counter-based random numbers with splittable keys: no global state, the same key gives the same numbers.
 *
 * Bits are Threefry-2x32 with 20 rounds. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
export interface Key {
  readonly hi: number;
  readonly lo: number;
}

/** A key from an integer seed in [0, 2^53). */
export function key(seed: number): Key {
  return { hi: Math.floor(seed / 2 ** 32) >>> 0, lo: seed >>> 0 };
}

/** A child key; children with different labels (text or index) are independent of each other and of the parent. */
export function split(parent: Key, label: string | number): Key {
  const [a, b] = typeof label === "number" ? [label >>> 0, 0x9e3779b9] : hashText(label); // 2^32 / golden ratio: marks index children
  const [hi, lo] = threefry(parent, a, b);
  return { hi, lo };
}

/** `count` numbers, uniform in [0, 1) with 32 random bits each. */
export function uniform(k: Key, count: number): Float64Array {
  const out = new Float64Array(count);
  for (let i = 0; i < count; i += 2) {
    const [a, b] = threefry(k, i / 2, 0);
    out[i] = a / 2 ** 32;
    if (i + 1 < count) out[i + 1] = b / 2 ** 32;
  }
  return out;
}

/** `count` numbers from N(0, 1), by Box and Muller's transform. */
export function normal(k: Key, count: number): Float64Array {
  const out = new Float64Array(count);
  for (let i = 0; i < count; i += 2) {
    const [a, b] = threefry(k, i / 2, 1);
    const radius = Math.sqrt(-2 * Math.log((a + 1) / 2 ** 32)); // +1: the logarithm's argument is never 0
    const angle = (2 * Math.PI * b) / 2 ** 32;
    out[i] = radius * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}

/** A uniformly drawn permutation of 0 … count − 1 (Fisher and Yates). */
export function permutation(k: Key, count: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  const draws = uniform(k, count);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(draws[i]! * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const; // Threefry-2x32's constants
const PARITY = 0x1bd11bda; // Threefish's key-schedule constant, 32 bits

function threefry(k: Key, c0: number, c1: number): [number, number] {
  const ks = [k.hi, k.lo, (PARITY ^ k.hi ^ k.lo) >>> 0] as const;
  let x0 = (c0 + ks[0]) >>> 0;
  let x1 = (c1 + ks[1]) >>> 0;
  for (let round = 0; round < 20; round++) {
    const r = ROTATIONS[round % 8]!;
    x0 = (x0 + x1) >>> 0;
    x1 = (((x1 << r) | (x1 >>> (32 - r))) ^ x0) >>> 0;
    if (round % 4 === 3) {
      const s = (round + 1) / 4;
      x0 = (x0 + ks[(s % 3) as 0 | 1 | 2]) >>> 0;
      x1 = (x1 + ks[((s + 1) % 3) as 0 | 1 | 2] + s) >>> 0;
    }
  }
  return [x0, x1];
}

/** Two FNV-1a hashes of the text with different starts. */
function hashText(text: string): [number, number] {
  let a = 0x811c9dc5; // FNV-1a 32-bit offset basis
  let b = 0xcbf29ce4; // upper half of the 64-bit offset basis
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193) >>> 0; // FNV prime
    b = Math.imul(b ^ (code + 1), 0x01000193) >>> 0;
  }
  return [a, b];
}
