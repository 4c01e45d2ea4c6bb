import type { Tensors } from "../../tensor/index.ts";

/** How far one gradient is from another. */
export interface GradientDistances {
  /** ‖g′ − ĝ‖₂ */
  readonly l2: number;
  /** 1 − cos(g′, ĝ); 1 when one of them is zero. */
  readonly cosine: number;
  /** mean|g′ − ĝ| + 1 − cos(g′, ĝ), FedLeak's distance without its priors. */
  readonly l1Cosine: number;
}

/**
 * The distances between two gradients over the entries of largest |g′|, all tensors regarded as one vector, in float64.
 *
 * keep: the share of entries, 1 for all; with less, entries that tie with the smallest kept one are kept too.
 * Source: l2, Zhu et al. 2019 (there squared); cosine, Geiping et al. 2020; l1Cosine and the choice by |g′|, FedLeak, Sections 4.2, 4.4.
 */
export function gradientDistances(
  candidate: Tensors<"float32">,
  observed: Tensors<"float32">,
  keep: number,
): GradientDistances {
  const threshold = keep === 1 ? 0 : kthLargestMagnitude(candidate, keep);
  let [kept, l1, l2, inner, squares, goal] = [0, 0, 0, 0, 0, 0];
  for (const name of Object.keys(candidate)) {
    const [g, t] = [candidate[name]!.data, observed[name]!.data];
    for (let i = 0; i < g.length; i++) {
      if (Math.abs(g[i]!) < threshold) continue;
      const difference = g[i]! - t[i]!;
      kept++;
      l1 += Math.abs(difference);
      l2 += difference * difference;
      inner += g[i]! * t[i]!;
      squares += g[i]! * g[i]!;
      goal += t[i]! * t[i]!;
    }
  }
  const scale = Math.sqrt(squares) * Math.sqrt(goal);
  const cosine = l2 === 0 ? 0 : scale > 0 ? 1 - inner / scale : 1; // equal gradients: 0, not what rounding leaves
  return { l2: Math.sqrt(l2), cosine, l1Cosine: l1 / kept + cosine };
}

const HALF = 1 << 16; // a float32's bits are looked at in two halves

/**
 * The k-th largest |g| of all entries, k = ⌈keep·n⌉, exactly.
 *
 * The bits of floats ≥ 0, read as integers, have the order of the floats: two counts of 2¹⁶ bins find the k-th.
 */
function kthLargestMagnitude(tensors: Tensors<"float32">, keep: number): number {
  const lists = Object.values(tensors).map(({ data }) => data.map(Math.abs));
  const bits = lists.map((list) => new Uint32Array(list.buffer));
  let k = Math.ceil(keep * lists.reduce((n, list) => n + list.length, 0));
  const findBin = (counts: Uint32Array): number => {
    let bin = HALF - 1;
    while (counts[bin]! < k) k -= counts[bin--]!;
    return bin;
  };
  const high = new Uint32Array(HALF);
  for (const list of bits) for (const b of list) high[b >>> 16]!++;
  const upper = findBin(high);
  const low = new Uint32Array(HALF);
  for (const list of bits) for (const b of list) if (b >>> 16 === upper) low[b & (HALF - 1)]!++;
  const lower = findBin(low);
  return new Float32Array(Uint32Array.of(upper * HALF + lower).buffer)[0]!;
}
