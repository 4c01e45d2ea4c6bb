import { abs, add, div, dot, maximum, mul, type Node, sqrt, square, sub, sum } from "../../graph/index.ts";
import { sizeOf } from "../../tensor/index.ts";
import type { AttackSettings } from "../settings.ts";

type Weights = Pick<AttackSettings, "l1Weight" | "cosineWeight" | "l2Weight" | "distanceScope">;

/**
 * The distance between two sets of gradient tensors, over the entries that the masks keep.
 *
 * global:     l1·Σ|m(g′−ĝ)|/Σm + cos·(1 − cos(mg′, mĝ)) + l2·Σ m(g′−ĝ)², sums over all tensors together
 * per-tensor: Σ_l [ l1·Σ|m(g′−ĝ)|/n_l + cos·(1 − cos(mg′, mĝ)) ] + l2·Σ m(g′−ĝ)², n_l all entries of tensor l
 * candidates g′, targets ĝ and masks m: nodes of equal shapes pair by pair; masks of 0 and 1, all 1 when undefined.
 * Result: a scalar ≥ 0, 0 (up to rounding) where g′ = ĝ.
 * Source: global, FedLeak Section 4.4 and Appendix (mean L1 plus cosine distance); per-tensor, FedLeak's released
 * program, which averages over kept and dropped entries alike; l2, Zhu et al., "Deep leakage from gradients", 2019.
 * Differs: the release leaves out the constant 1 of the cosine term.
 */
export function gradientDistance(
  candidates: readonly Node[],
  targets: readonly Node[],
  masks: readonly Node[] | undefined,
  { l1Weight, cosineWeight, l2Weight, distanceScope }: Weights,
): Node {
  const kept = (nodes: readonly Node[]) => (masks ? nodes.map((g, i) => mul(g, masks[i]!)) : nodes);
  const [g, t] = [kept(candidates), kept(targets)];
  const sizes = g.map((node) => sizeOf(node.shape));
  const l1 = (indices: readonly number[], count: Node | number) =>
    div(total(indices.map((i) => sum(abs(sub(g[i]!, t[i]!))))), count);
  const match = (indices: readonly number[], count: Node | number) => [
    ...(l1Weight > 0 ? [mul(l1(indices, count), l1Weight)] : []),
    ...(cosineWeight > 0 ? [mul(sub(1, cosineSimilarity(pick(g, indices), pick(t, indices))), cosineWeight)] : []),
  ];
  const all = [...g.keys()];
  const terms =
    distanceScope === "global"
      ? match(all, masks ? total(masks.map((m) => sum(m))) : sizes.reduce((a, b) => a + b, 0))
      : all.flatMap((i) => match([i], sizes[i]!));
  const squares = l2Weight > 0 ? [mul(total(all.map((i) => sum(square(sub(g[i]!, t[i]!))))), l2Weight)] : [];
  return total([...terms, ...squares]);
}

const SMALLEST_NORM = 1e-8; // eps of torch.nn.functional.cosine_similarity

/**
 * cos(a, b) = Σ a·b / (max(‖a‖,ε)·max(‖b‖,ε)) of two lists of tensors regarded as one vector each: a scalar in [−1, 1].
 *
 * ε = 1e-8 keeps value and derivative finite at zero vectors, whose similarity to anything is 0.
 */
export function cosineSimilarity(a: readonly Node[], b: readonly Node[]): Node {
  const norm = (nodes: readonly Node[]) => sqrt(maximum(total(nodes.map((x) => sum(square(x)))), SMALLEST_NORM ** 2));
  return div(total(a.map((x, i) => dot(x, b[i]!))), mul(norm(a), norm(b)));
}

function total(scalars: readonly Node[]): Node {
  return scalars.reduce((a, b) => add(a, b));
}

function pick(nodes: readonly Node[], indices: readonly number[]): Node[] {
  return indices.map((i) => nodes[i]!);
}
