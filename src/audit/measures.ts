import { featureDistance, type Images, openLpips, ssim, ssimFits } from "../metrics/index.ts";
import { openFeatures } from "./features.ts";
import type { Trial } from "./trial.ts";

/** A distance between two images: of each of `a` to that of the same index in `b`, less is closer. */
export interface Measure {
  readonly name: MeasureName;
  distances(a: Images, b: Images): Promise<number[]>;
}

export type MeasureName = "lpips" | "ssim" | "feature-distance";

/** What can be measured on a trial's images, and why the rest cannot. */
export interface Measures {
  readonly measures: readonly Measure[];
  readonly notMeasured: Readonly<Record<string, string>>;
  release(): Promise<void>;
}

/**
 * Opens every distance that this trial's images and files allow, the one nearest to the eye first: LPIPS where there are
 * weights, 1 − SSIM, the audited model's features.
 *
 * That order is our choice: LPIPS agrees with people best, SSIM does not depend on the audited model, whose features say
 * little while it is untrained.
 */
export async function openMeasures(trial: Trial): Promise<Measures> {
  const release: (() => Promise<void>)[] = [];
  const notMeasured: Record<string, string> = {};
  const measures: Measure[] = [];
  for (const [name, open] of Object.entries(OPENERS) as [MeasureName, Opener][]) {
    const found = await whetherOr(() => open(trial));
    if ("why" in found) notMeasured[name] = found.why;
    else {
      measures.push({ name, distances: found.value.distances });
      if (found.value.release) release.push(found.value.release);
    }
  }
  return {
    measures,
    notMeasured: ssimFits(trial.truth.images) ? notMeasured : { ...notMeasured, "ms-ssim": TOO_SMALL },
    release: async () => {
      for (const each of release) await each();
    },
  };
}

/** What came out, or why nothing did: the attack is done, and a measure that fails must not lose it. */
export async function whetherOr<T>(
  measure: () => Promise<T | string>,
): Promise<{ readonly value: T } | { readonly why: string }> {
  try {
    const value = await measure();
    return typeof value === "string" ? { why: value } : { value };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}

interface Opened {
  readonly distances: Measure["distances"];
  readonly release?: () => Promise<void>;
}

/** Opens a measure, or says why it cannot be taken. */
type Opener = (trial: Trial) => Promise<Opened | string>;

const TOO_SMALL = "images under 11 × 11 pixels";

const OPENERS: Readonly<Record<MeasureName, Opener>> = {
  lpips: async ({ lpips, truth, spec }) => {
    if (lpips === undefined) return "no weights were given";
    return openLpips(lpips.weights, {
      imageShape: truth.images.shape.slice(1),
      device: "cpu",
      threads: spec.threads,
    });
  },
  ssim: async ({ truth }) =>
    ssimFits(truth.images) ? { distances: async (a, b) => ssim(a, b).map((value) => 1 - value) } : TOO_SMALL,
  "feature-distance": async (trial) => {
    const features = await openFeatures(trial);
    return {
      release: features.release,
      distances: async (a, b) => {
        const found = featureDistance(await features.of(a), await features.of(b));
        if (!found.every((value) => value !== null)) {
          throw new Error("the audited model's features of an image are all 0 or not finite");
        }
        return found;
      },
    };
  },
};
