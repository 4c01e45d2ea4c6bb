const DIGITS = 9; // of a decimal number tell every float32 apart: IEEE 754

/**
 * What a float32 was before it was rounded, as far as can be told: the shortest decimal number that it is the nearest one to.
 *
 * People and programs write 1e-5 and 0.2; attributes of ONNX files hold the float32 beside it.
 */
export function shortestDecimal(float: number): number {
  if (!Number.isFinite(float)) return float;
  for (let digits = 1; digits < DIGITS; digits++) {
    const decimal = Number(float.toPrecision(digits));
    if (Math.fround(decimal) === float) return decimal;
  }
  return float;
}
