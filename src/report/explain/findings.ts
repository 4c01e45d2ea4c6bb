import type {
  ConvergencePart,
  DampingPart,
  Explanation,
  NoisePart,
  PartName,
  SensitivityPart,
  SensitivityScope,
} from "../../audit/index.ts";
import { compactText, countText, percentText } from "../format.ts";
import { mean, summaryOf, variantOf } from "./summary.ts";

/** What a part found: one plain sentence computed from its numbers, and what else belongs to it. */
export interface Finding {
  readonly sentence: string;
  readonly more?: string;
}

/** What the parts that are there found. */
export function findings({ parts }: Explanation): Partial<Record<PartName, Finding>> {
  const { convergence, noise, sensitivity, damping } = parts;
  return {
    ...(convergence && { convergence: failed(convergence) ?? convergenceFinding(convergence) }),
    ...(noise && { noise: failed(noise) ?? noiseFinding(noise) }),
    ...(sensitivity && { sensitivity: failed(sensitivity) ?? sensitivityFinding(sensitivity) }),
    ...(damping && { damping: failed(damping) ?? dampingFinding(damping) }),
  };
}

function failed({ failure }: { readonly failure?: string | undefined }): Finding | undefined {
  return failure === undefined ? undefined : { sentence: `Failed: ${failure}` };
}

const ALIKE = 1.1; // our choice: under a tenth of difference we speak of none

function convergenceFinding(part: ConvergencePart): Finding {
  const neither = variantOf(part, "neither");
  const full =
    variantOf(part, "both") ?? (part.status === "finished" ? variantOf(part, "partial-matching") : undefined);
  if (!neither || !full) return { sentence: "The runs with neither technique and with both are not there yet." };
  const [a, b] = [summaryOf(neither), summaryOf(full)];
  const named = full.name === "both" ? "both techniques" : "partial matching";
  if (a.ratio === null || b.ratio === null) return { sentence: "μ/L cannot be told: the gradient is zero all along." };
  const sentence =
    `With ${named} the median μ/L is ${compactText(b.ratio)}, with neither ${compactText(a.ratio)}: ` +
    `${compared(a.ratio, b.ratio)}${steadiness(a.spread, b.spread)}.`;
  const angle =
    `The cosine between descent and the way to the private images, which no scaling of the loss changes, ` +
    `has a median of ${number(b.alignment)} with ${named} and ${number(a.alignment)} with neither.`;
  const ends =
    a.lastRms === null || b.lastRms === null
      ? ""
      : ` The run with ${named} ends ${compactText(b.lastRms)} a pixel away from the private images, the run with neither ${compactText(a.lastRms)}.`;
  return { sentence, more: angle + ends };
}

function compared(a: number, b: number): string {
  if (a <= 0 || b <= 0) return b > a ? "higher" : "lower";
  if (b > a * ALIKE) return `${times(b / a)} higher`;
  return a > b * ALIKE ? `${times(a / b)} lower` : "about the same";
}

function steadiness(a: number | null, b: number | null): string {
  if (a === null || b === null) return "";
  if (a > b * ALIKE) return ", and steadier";
  return b > a * ALIKE ? ", but less steady" : ", and as steady";
}

const NEAR = 0.1; // FedLeak, Section 3: up to strong noise "the expected GD stays below 0.1"

function noiseFinding({ full, gradientNorm }: NoisePart): Finding {
  const told = full.filter(({ cosine }) => cosine.length > 0);
  const at = told.find(({ strength }) => Math.abs(strength - 0.1) < 1e-6);
  if (!at) return { sentence: "No draw was finished." };
  const reached = told.find((level) => mean(level.cosine) >= NEAR);
  return {
    sentence:
      `Noise of strength 0.1 on every pixel moves the gradient by ${percentText(mean(at.l2) / gradientNorm)} of its length, ` +
      `a cosine distance of ${compactText(mean(at.cosine))}.`,
    more: reached
      ? `The cosine distance reaches ${NEAR} at strength ${compactText(reached.strength)}.`
      : `The cosine distance stays below ${NEAR} up to strength ${told.at(-1)!.strength}, the whole range of a pixel: there even a small one says little.`,
  };
}

const PUBLISHED = 0.74; // FedLeak, Section 4.2 and Appendix C

function sensitivityFinding({ scopes }: SensitivityPart): Finding {
  if (scopes.length === 0) return { sentence: "No entry was measured." };
  const where = ({ name }: SensitivityScope) => (name === "last-layer" ? "in the last layer" : "over all layers");
  const told = scopes.map((scope) => {
    const { pearson, pearsonInterval95: range, sampled, entries } = scope;
    const spread = range ? ` (${number(range[0])} to ${number(range[1])})` : "";
    const share = sampled === entries ? "all" : `${countText(sampled)} of`;
    return `${number(pearson)}${spread} ${where(scope)}, ${share} ${countText(entries)} entries`;
  });
  return {
    sentence: `Gradient magnitude and sensitivity correlate with ${told.join("; ")}; published: ${PUBLISHED}.`,
    more: `By ranks (Spearman) it is ${scopes.map((scope) => `${number(scope.spearman)} ${where(scope)}`).join(", ")}. The published number is of the last layer of a ResNet10 on CIFAR-10.`,
  };
}

function dampingFinding({ paths }: DampingPart): Finding {
  const last = (gamma: boolean) => paths.find((path) => path.gamma > 0 === gamma && path.stepSize === 1);
  const [plain, damped] = [last(false), last(true)];
  if (!plain || !damped) return { sentence: "No path was computed." };
  const [from, to] = [plain.points[0]!, plain.points[1]!];
  return {
    sentence:
      `At step size 1 plain descent jumps between ${from} and ${String(to).replace("-", "−")} for ever; with a share γ = ${damped.gamma} of the gradient ahead ` +
      `it is at ${compactText(damped.points.at(-1)!)} after ${damped.points.length - 1} steps.`,
  };
}

function times(factor: number): string {
  return `${Number(factor.toPrecision(2))} times`;
}

function number(value: number | null): string {
  return value === null ? "–" : value.toFixed(2).replace("-", "−");
}
