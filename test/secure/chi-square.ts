/** Σ (n_k − n/256)² / (n/256) over the values of a byte: 255 ± 22.6 for uniform bytes. */
export function chiSquare(bytes: ArrayLike<number>): number {
  const counts = new Float64Array(256);
  for (let i = 0; i < bytes.length; i++) counts[bytes[i]!]! += 1;
  const expected = bytes.length / 256;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
