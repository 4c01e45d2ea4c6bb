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
