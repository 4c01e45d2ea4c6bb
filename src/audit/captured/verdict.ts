import { proofText } from "../proof.ts";
import type { ClosedFormResult } from "./closed-form.ts";
import { type Finding, short } from "./finding.ts";
import { equationsOf, type LayerRow } from "./layer-rows.ts";
import type { CapturedUpdate } from "./read.ts";

/** How much an attack on a captured update can be expected to rebuild. */
export const VERDICTS = {
  exact: "a closed form rebuilds the images, and their gradient is the update",
  likely: "a search can be expected to rebuild images that are recognised",
  hard: "a search may rebuild something; expect little",
  hopeless: "nothing can be rebuilt from these files as they are",
} as const;

export type Verdict = keyof typeof VERDICTS;

export interface Judged {
  readonly verdict: Verdict;
  /** Why, one clause each. */
  readonly reasons: readonly string[];
}

/**
 * The verdict on an update, from what a server knows; hopeless where the files contradict each other.
 *
 * Exact is proved; the others are rules of thumb from our own measurements: searches rebuild up to 16 images of one step
 * with BatchNorm in train mode, and rarely more (our choice).
 */
export function judge(
  captured: CapturedUpdate,
  evidence: {
    readonly findings: readonly Finding[];
    readonly rows: readonly LayerRow[];
    readonly images: number | undefined;
    readonly closedForms: readonly ClosedFormResult[];
  },
): Judged {
  const { findings, rows, images, closedForms } = evidence;
  const solved = closedForms.find(({ outcome }) => outcome === "solved");
  const broken = findings.filter(({ level }) => level === "broken");
  if (broken.length > 0) {
    return {
      verdict: "hopeless",
      reasons: ["the files contradict themselves", ...broken.map(({ test }) => `test ${test} failed`)],
    };
  }
  if (solved) {
    const proof = `their gradient is the update in every tensor (${proofText(solved.proof!)})`;
    return { verdict: "exact", reasons: [`${solved.method} finds ${solved.about}`, proof] };
  }
  const { equations, unknowns, image } = equationsOf(rows, captured.network, images);
  const sought = unknowns ?? image;
  const share = equations / sought;
  const counted = `${equations} numbers for ${unknowns === null ? "at least " : ""}${sought} unknowns`;
  const limits = obstacles(captured, images);
  if (share < FEWEST) return { verdict: "hopeless", reasons: [`${counted}: far too few`] };
  if (images !== undefined && images > MOST_IMAGES) {
    return {
      verdict: "hopeless",
      reasons: [`${images} images in one update: no attack is known to tell so many apart`, ...limits],
    };
  }
  if (share < 1) limits.push(`${counted}: too few to fix them all`);
  if (limits.length > 0) return { verdict: "hard", reasons: limits };
  return { verdict: "likely", reasons: [`${counted} (${short(share)} each)`, `${images} images, one step of SGD`] };
}

const FEWEST = 0.1; // numbers an unknown; our choice
const MOST_IMAGES = 256; // METHODS: the paper's largest is 192 (12 × 16)
const MANY_IMAGES = 16; // our choice: more stay near the floors on our measurements
const NOISY = 0.05; // share of rounding; our choice

function obstacles({ manifest, network, estimate }: CapturedUpdate, images: number | undefined): string[] {
  const { localSteps, batchNorm, optimiser, bnBuffers } = manifest;
  const normalises = network.buffers.length > 0;
  return [
    ...(images === undefined ? ["the number of images is not known"] : []),
    ...(images !== undefined && images > MANY_IMAGES ? [`${images} images share one gradient`] : []),
    ...(localSteps > 1 ? [`${localSteps} local steps, of which only the sum is seen`] : []),
    ...(optimiser.name === "sgd" ? [] : [`${optimiser.name} hides the size of the gradient`]),
    ...(normalises && batchNorm === "eval" ? ["BatchNorm in eval mode: our searches stay at the floor"] : []),
    ...(normalises && batchNorm === "eval" && bnBuffers !== "averaged"
      ? ["the client normalises by statistics that are not sent"]
      : []),
    ...(estimate.rounding > NOISY ? [`up to ${short(100 * estimate.rounding)} % of the change is rounding`] : []),
  ];
}
