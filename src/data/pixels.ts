/** Pixel bytes to numbers and back: byte v ↔ v / 255. Planar is [C,H,W], as tensors; interleaved is [H,W,C], as files. */

/** Bytes in [0,255] as numbers in [0,1], in the same order. */
export function unitFromBytes(bytes: Uint8Array): Float32Array {
  const out = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = bytes[i]! / 255;
  return out;
}

/** Interleaved bytes [H,W,C] as planar numbers [C,H,W] in [0,1]. */
export function planarFromInterleaved(bytes: Uint8Array, channels: number): Float32Array {
  const out = new Float32Array(bytes.length);
  const area = bytes.length / channels;
  for (let c = 0; c < channels; c++) {
    for (let p = 0; p < area; p++) out[c * area + p] = bytes[p * channels + c]! / 255;
  }
  return out;
}

/** The byte of a number in [0,1], rounded; numbers outside are clamped and NaN is 0. */
export function byteFromUnit(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value || 0)) * 255);
}
