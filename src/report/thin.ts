export interface Sample {
  readonly x: number;
  readonly y: number;
}

/**
 * At most `limit` samples with the same outline: of each stretch of the curve its lowest and its highest, and both ends.
 *
 * samples: in the order of x; limit ≥ 4 → samples in the same order, none made up; spikes survive.
 */
export function thin(samples: readonly Sample[], limit: number): readonly Sample[] {
  if (samples.length <= limit) return samples;
  const inner = samples.slice(1, -1);
  const stretches = Math.floor((limit - 2) / 2);
  const kept = Array.from({ length: stretches }, (_, k) => {
    const start = Math.floor((k * inner.length) / stretches);
    const stretch = inner.slice(start, Math.floor(((k + 1) * inner.length) / stretches));
    const low = stretch.reduce((a, b) => (b.y < a.y ? b : a));
    const high = stretch.reduce((a, b) => (b.y > a.y ? b : a));
    return low === high ? [low] : low.x < high.x ? [low, high] : [high, low];
  });
  return [samples[0]!, ...kept.flat(), samples.at(-1)!];
}
