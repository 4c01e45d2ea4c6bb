import type { Draws } from "./draws.ts";

/** Ways to damage a sound file. */
type Damage = (file: Uint8Array, d: Draws) => Uint8Array;

const flipped: Damage = (file, d) => {
  const out = file.slice();
  for (let n = 1 + Math.floor(8 * d.next() ** 3); n > 0; n--) out[place(out, d)]! ^= 1 << d.below(8);
  return out;
};

export const DAMAGES = {
  truncated: (file: Uint8Array, d: Draws) => file.slice(0, d.below(file.length)),
  flipped,
  random: (file: Uint8Array, d: Draws) => {
    const out = d.bytes(1 + d.below(1500));
    if (d.next() < 0.5) out.set(file.subarray(0, Math.min(out.length, 1 + d.below(64)))); // begins as a sound one does
    return out;
  },
  spliced: (file: Uint8Array, d: Draws) => {
    const [from, to, length] = [place(file, d), place(file, d), 1 + d.below(60)];
    const part = file.subarray(from, from + length);
    const cut = d.next() < 0.5 ? to + part.length : to; // written over, or put between
    return Uint8Array.of(...file.subarray(0, to), ...part, ...file.subarray(cut));
  },
  extremes: (file: Uint8Array, d: Draws) => {
    const out = file.slice();
    for (let n = 1 + d.below(3); n > 0; n--)
      out.set(d.of(EXTREMES).subarray(0, out.length), 0 + Math.max(0, place(out, d) - 12));
    return out;
  },
  digits: (file: Uint8Array, d: Draws) => {
    const spots = [...file.keys()].filter((at) => file[at]! >= 0x30 && file[at]! <= 0x39);
    if (spots.length === 0) return flipped(file, d);
    const at = d.of(spots);
    const digits = new TextEncoder().encode(d.of(["0", "-1", "9", "65536", "2147483648", "9007199254740993", "1e9"]));
    return Uint8Array.of(...file.subarray(0, at), ...digits, ...file.subarray(at + 1));
  },
} as const satisfies Record<string, Damage>;

/** Sizes and numbers at their limits, as little-endian integers and as varints. */
const EXTREMES = [
  [0xff, 0xff, 0xff, 0xff],
  [0xff, 0xff, 0xff, 0x7f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x08],
  [0, 0, 0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0x80],
].map((bytes) => Uint8Array.from(bytes));

/** A position, of the first or last bytes in every second case: there the sizes stand. */
function place(file: Uint8Array, d: Draws): number {
  const edge = Math.min(400, file.length); // bytes; our choice
  const where = d.next();
  if (where < 0.25) return d.below(edge);
  return where < 0.5 ? file.length - 1 - d.below(edge) : d.below(file.length);
}
