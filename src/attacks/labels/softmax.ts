/** exp(z_j)/Σ_k exp(z_k): N finite numbers → N probabilities. */
export function softmax(logits: readonly number[]): number[] {
  const most = Math.max(...logits);
  const weights = logits.map((z) => Math.exp(z - most));
  const whole = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / whole);
}
