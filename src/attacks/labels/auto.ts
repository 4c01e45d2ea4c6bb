import { dummySpread, dummyTrust } from "./dummies.ts";
import { isSolvable } from "./inversion/rule.ts";
import type { RuleName } from "./rules.ts";
import type { LabelEvidence } from "./types.ts";

/**
 * The rule for this evidence, chosen without the truth.
 *
 * A head without bias: llg. Else, where dummy images show that the model's outputs hardly depend on the image, counts,
 * which is then exact; for other models head-inversion while B ≤ N ≤ 12, and counts beyond.
 * Source: our choice, after the measurements that `fedleak labels` makes.
 */
export function chooseRule(evidence: LabelEvidence): RuleName {
  const { head, update } = evidence;
  if (head.bias === undefined || update[head.bias] === undefined) return "llg";
  const alike = Math.sqrt(evidence.batchSize) * dummySpread(evidence) < HALF_A_LABEL;
  if (alike && dummyTrust(evidence) > TRUSTED) return "counts";
  return isSolvable(evidence) ? "head-inversion" : "counts";
}

const HALF_A_LABEL = 0.5; // what counts are rounded by
const TRUSTED = 0.5; // our choice: trust is near 1 for untrained nets and near 0 for trained ones
