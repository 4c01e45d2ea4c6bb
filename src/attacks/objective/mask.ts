import {
  abs,
  broadcastTo,
  cast,
  concat,
  greaterEqual,
  kthLargest,
  type Node,
  reshape,
  stopGradient,
} from "../../graph/index.ts";
import { sizeOf } from "../../tensor/index.ts";
import type { AttackSettings } from "../settings.ts";

/**
 * Which gradient entries are matched: 1 for the share ρ of largest magnitude, 0 for the others; a mask a tensor.
 *
 * mask = |g′| ≥ the k-th largest |g′|, k = ⌈ρ·n⌉, over all entries ("global") or within each tensor ("per-tensor").
 * candidates: the gradients g′ of the candidate images, so the mask moves with them; no gradient flows through it.
 * Result: float masks of the candidates' shapes, or undefined when everything is matched. Entries that tie with the
 * threshold are all kept: when fewer than k entries differ from zero, that is every entry.
 * Source: FedLeak, Section 4.2 (top ρ of largest magnitude); that the magnitudes are those of g′ follows footnote 8.
 * Differs: the release keeps |g′| ≥ the median, which is ρ = 0.5 to within one entry a tensor.
 */
export function magnitudeMasks(
  candidates: readonly Node[],
  { maskRatio, maskScope }: Pick<AttackSettings, "maskRatio" | "maskScope">,
): readonly Node[] | undefined {
  if (maskScope === "none" || maskRatio === 1) return undefined;
  const magnitudes = candidates.map((g) => reshape(stopGradient(abs(g)), [sizeOf(g.shape)]));
  const threshold = (values: Node) => kthLargest(values, Math.ceil(maskRatio * values.shape[0]!)); // [n] → [1]
  const shared = maskScope === "global" ? threshold(concat(magnitudes, 0)) : undefined;
  return candidates.map((g, i) => {
    const values = magnitudes[i]!;
    return reshape(cast(greaterEqual(values, broadcastTo(shared ?? threshold(values), values.shape))), g.shape);
  });
}
