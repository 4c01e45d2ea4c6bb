import { abs, div, maximum, mul, type Node, pow, sign, square, sum } from "../../../graph/index.ts";
import { total } from "./tensors.ts";
import type { Counterpart } from "./types.ts";

/**
 * Undoes t = f·sign(g)|g|^(1−p), f = u Σg² / Σ|g|^(2−p): with h = |t|^(1/(1−p)), |g| = h/κ and κ = u Σh² / Σh^(2−p).
 *
 * For p = 1 only signs and one length are left: they are matched as signs. After other defences it cannot be undone.
 */
export const guardianObjective: Counterpart = (match, { utility, exponent }, { later, clients }) => {
  const p = Number(exponent);
  if (later.length > 0 || clients > 1) return undefined;
  if (p === 1) return { match: { ...match, signs: "alone", untold: 1 }, about: "matches the signs" };
  const roots = match.targets.map((t) => pow(maximum(abs(t), SMALLEST), 1 / (1 - p)));
  const sums = (power: number) => total(roots.map((h) => sum(power === 2 ? square(h) : pow(h, power))));
  const scale = mul(div(sums(2), sums(2 - p)), Number(utility));
  const targets = match.targets.map((t, i): Node => mul(sign(t), div(roots[i]!, scale)));
  return { match: { ...match, targets }, about: "undoes it: the gradient follows from what was sent" };
};

const SMALLEST = 1e-30; // keeps powers of 0 finite
