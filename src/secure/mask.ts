/** A mask: the key of the pseudorandom generator, and whether it is added or taken away. */
export interface Mask {
  /** 32 bytes. */
  readonly seed: Uint8Array;
  readonly sign: 1 | -1;
}

/**
 * values + Σ sign · PRG(seed) modulo 2^32, entry by entry, [d].
 *
 * PRG(seed) is the key stream of AES-256 in counter mode from 0, four bytes an entry, little-endian.
 * Source: Bonawitz et al., CCS 2017, who take AES in counter mode too.
 */
export async function withMasks(values: Uint32Array, masks: readonly Mask[]): Promise<Uint32Array> {
  const out = values.slice();
  for (const { seed, sign } of masks) {
    const key = await crypto.subtle.importKey("raw", seed as Uint8Array<ArrayBuffer>, "AES-CTR", false, ["encrypt"]);
    for (let start = 0; start < out.length; start += CHUNK) {
      const part = out.subarray(start, start + CHUNK);
      const stream = await keyStream(key, start / WORDS_A_BLOCK, part.length);
      if (sign === 1) for (let k = 0; k < part.length; k++) part[k]! += stream[k]!;
      else for (let k = 0; k < part.length; k++) part[k]! -= stream[k]!; // Uint32Array takes both modulo 2^32
    }
  }
  return out;
}

const WORDS_A_BLOCK = 4; // AES has blocks of 16 bytes
const CHUNK = 2 ** 18; // entries at once, 1 MiB; our choice

type AesKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** `count` words of the key stream from block `block` on. */
async function keyStream(key: AesKey, block: number, count: number): Promise<Uint32Array> {
  const counter = new Uint8Array(16);
  new DataView(counter.buffer).setUint32(12, block);
  const stream = await crypto.subtle.encrypt({ name: "AES-CTR", counter, length: 32 }, key, new Uint8Array(4 * count));
  return new Uint32Array(stream);
}
