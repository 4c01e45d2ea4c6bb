import type { RunResults } from "../audit/index.ts";
import { percentText, plural } from "./format.ts";

/** The words for what identified the images. */
export function measureName(measure: string): string {
  return NAMES[measure] ?? measure;
}

const NAMES: Readonly<Record<string, string>> = {
  lpips: "LPIPS",
  ssim: "SSIM",
  "feature-distance": "the audited model's features",
};

/** How many images are identified, where that is more than guessing explains (the interval of the share lies above it). */
export function recognised({ identification }: RunResults): number | undefined {
  const best = identification?.by[0];
  if (!identification || !best || best.interval95.oneToOne[0] <= identification.chance) return undefined;
  return best.identified.oneToOne.filter(Boolean).length;
}

/** The attack success rate in a sentence; undefined where it was not measured. */
export function identifiedSentence({ identification }: RunResults): string | undefined {
  const best = identification?.by[0];
  if (!identification || !best) return undefined;
  const images = best.identified.oneToOne;
  const found = images.filter(Boolean).length;
  return (
    `By ${measureName(best.measure)}, ${found} of ${plural(images.length, "image")} can be told ` +
    `from ${identification.distractors} others of the data (guessing finds ${percentText(identification.chance)}).`
  );
}
