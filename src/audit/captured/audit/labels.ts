import {
  gatherEvidence,
  inferLabels,
  LABEL_RULES,
  type LabelEvidence,
  type LabelPlan,
} from "../../../attacks/index.ts";
import { FedleakError } from "../../../util/index.ts";
import type { UpdateManifest } from "../manifest.ts";
import type { CapturedUpdate } from "../read.ts";
import type { LabelReport } from "./record.ts";

/**
 * The labels behind a captured update, by rule auto, and what can be said of how sure they are without knowing them.
 *
 * Granted labels are taken as they are. Throws FedleakError where no rule applies.
 */
export async function reportLabels(
  { manifest, estimate }: Pick<CapturedUpdate, "manifest" | "estimate">,
  plan: LabelPlan,
): Promise<LabelReport> {
  const { labels: known } = plan.observation;
  if (known) {
    const about = "true labels (granted), in no order";
    return { inferred: [...known], granted: true, about, proven: null, agreeing: [], differing: [] };
  }
  const rules = LABEL_RULES.filter((rule) => rule !== "auto");
  const evidence = await gatherEvidence(plan, "auto", ...rules);
  const { labels, about, rule: taken } = inferLabels("auto", evidence);
  const others = rules.filter((rule) => rule !== taken).flatMap((rule) => guess(rule, evidence));
  const same = (guessed: readonly number[]) => guessed.join() === labels.join(); // both ascend
  return {
    inferred: [...labels],
    granted: false,
    about,
    proven: estimate.scaled && isPlain(manifest) ? provenCounts(evidence) : null,
    agreeing: others.filter(({ labels: guessed }) => same(guessed)).map(({ rule }) => rule),
    differing: others.filter(({ labels: guessed }) => !same(guessed)).map(({ rule }) => rule),
  };
}

/** One step whose gradient is that of the loss itself. */
function isPlain({ localSteps, optimiser, sent }: UpdateManifest): boolean {
  return sent === "gradient"
    ? optimiser.clip === null
    : localSteps === 1 && optimiser.name === "sgd" && optimiser.clip === null;
}

/**
 * How many images of each class there are at least: n_c ≥ ⌈−B·(∂L/∂b)_c⌉, classes with a positive bound only; null without
 * a head's bias.
 *
 * Of the mean cross-entropy (∂L/∂b)_c = (1/B)(Σ_i p_ic − n_c), and probabilities p are not negative. So it is a proof, as far as the
 * update is what its manifest says. Source: the sign argument of iDLG (Zhao et al. 2020), for batches; our bound.
 */
export function provenCounts({
  head,
  update,
  batchSize,
}: Pick<LabelEvidence, "head" | "update" | "batchSize">): Record<string, number> | null {
  const bias = head.bias === undefined ? undefined : update[head.bias];
  if (!bias) return null;
  const least = Array.from(bias.data, (slope, label) => [label, Math.ceil(-batchSize * slope - SLACK)] as const);
  return Object.fromEntries(least.filter(([, count]) => count > 0).map(([label, count]) => [`${label}`, count]));
}

const SLACK = 0.01; // of an image: what rounding of a float32 update may add; our choice

function guess(rule: (typeof LABEL_RULES)[number], evidence: LabelEvidence) {
  try {
    return [{ rule, labels: inferLabels(rule, evidence).labels }];
  } catch (error) {
    if (!(error instanceof FedleakError)) throw error;
    return []; // a rule that this model does not allow says neither yes nor no
  }
}
