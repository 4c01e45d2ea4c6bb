/** The elements of IEEE 754 half-precision numbers, widened to float32, exactly. */
export function halfToFloat32(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, fromHalf);
}

/** The elements of bfloat16 numbers, widened to float32, exactly: their 16 bits are the upper half of the float32's. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
}

/** A number from its 16 bits: 1 sign, 5 exponent (bias 15), 10 fraction. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = (bits & 0x3ff) / 1024;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -14 : sign * (1 + fraction) * 2 ** (exponent - 15);
}
