import type {
  ConvergencePart,
  DampingPart,
  Explanation,
  NoisePart,
  PartName,
  SensitivityPart,
} from "../../audit/index.ts";
import { compactText, countText, percentText } from "../format.ts";
import { mean, summaryOf, variantOf } from "./summary.ts";

/** What the parts that are there found, one plain sentence each, computed from their numbers. */
export function findings({ parts }: Explanation): Partial<Record<PartName, string>> {
  const { convergence, noise, sensitivity, damping } = parts;
  return {
    ...(convergence && { convergence: convergence.failure ?? convergenceFinding(convergence) }),
    ...(noise && { noise: noise.failure ?? noiseFinding(noise) }),
    ...(sensitivity && { sensitivity: sensitivity.failure ?? sensitivityFinding(sensitivity) }),
    ...(damping && { damping: dampingFinding(damping) }),
  };
}

const ALIKE = 1.1; // our choice: under a tenth of difference we speak of none

function convergenceFinding(part: ConvergencePart): string {
  const [neither, both] = [variantOf(part, "neither"), variantOf(part, "both")];
  if (!neither || !both)
    return "The run with neither technique and the one with both are not there yet to be compared.";
  const [a, b] = [summaryOf(neither), summaryOf(both)];
  if (a.ratio === null || b.ratio === null) return "μ/L cannot be told: the gradient is zero all along.";
  const factor = b.ratio / a.ratio;
  const higher =
    a.ratio <= 0 || b.ratio <= 0
      ? b.ratio > a.ratio
        ? "higher"
        : "lower"
      : factor > ALIKE
        ? `${times(factor)} higher`
        : factor < 1 / ALIKE
          ? `${times(1 / factor)} lower`
          : "about the same";
  const steadier =
    a.spread === null || b.spread === null
      ? ""
      : a.spread > b.spread * ALIKE
        ? ", and steadier"
        : b.spread > a.spread * ALIKE
          ? ", but less steady"
          : ", and as steady";
  const closer =
    a.lastRms === null || b.lastRms === null
      ? ""
      : ` The run with both ends ${b.lastRms < a.lastRms ? "closer to" : "farther from"} the private images (${compactText(b.lastRms)} against ${compactText(a.lastRms)} a pixel).`;
  return (
    `With both techniques the median μ/L is ${compactText(b.ratio)}, without them ${compactText(a.ratio)}: ${higher}${steadier}. ` +
    `The angle to the way home, which no scaling of the loss changes, has a median cosine of ${number(b.alignment)} against ${number(a.alignment)}.${closer}`
  );
}

const GOAL = 0.1; // FedLeak, Section 3: "the expected GD stays below 0.1"

function noiseFinding({ full, gradientNorm }: NoisePart): string {
  const told = full.filter(({ cosine }) => cosine.length > 0);
  const at = told.find(({ strength }) => Math.abs(strength - 0.1) < 1e-6);
  if (!at) return "No draw was finished.";
  const [l2, cosine] = [mean(at.l2), mean(at.cosine)];
  const reached = told.find((level) => mean(level.cosine) >= GOAL);
  const reach = reached
    ? `the cosine distance reaches ${GOAL} at strength ${compactText(reached.strength)}`
    : `the cosine distance stays below ${GOAL} up to strength ${told.at(-1)!.strength}, the whole range of a pixel`;
  return (
    `Noise of strength 0.1 moves the gradient by ${percentText(l2 / gradientNorm)} of its length (cosine distance ${compactText(cosine)}); ${reach}. ` +
    "A gradient distance above the curve's value at weak noise means that the match is not solved."
  );
}

const PUBLISHED = 0.74; // FedLeak, Section 4.2 and Appendix C

function sensitivityFinding({ scopes }: SensitivityPart): string {
  if (scopes.length === 0) return "No entry was measured.";
  const told = scopes.map(
    ({ name, pearson, pearsonInterval95, sampled, entries }) =>
      `${number(pearson)} over ${name === "last-layer" ? "the last layer" : "all layers"}${
        pearsonInterval95 ? ` (${number(pearsonInterval95[0])} to ${number(pearsonInterval95[1])})` : ""
      }, ${sampled === entries ? "all" : `${countText(sampled)} of`} ${countText(entries)} entries`,
  );
  return `Gradient magnitude and sensitivity correlate with ${told.join("; ")}. Published: ${PUBLISHED}, over the last layer of a ResNet10 on CIFAR-10.`;
}

function dampingFinding({ paths }: DampingPart): string {
  const last = (gamma: boolean) => paths.find((path) => path.gamma > 0 === gamma && path.stepSize === 1);
  const [plain, damped] = [last(false), last(true)];
  if (!plain || !damped) return "No path was computed.";
  const [from, to] = [plain.points[0]!, plain.points[1]!];
  return (
    `At step size 1 plain descent jumps between ${compactText(from)} and ${compactText(to)} for ever; with a share γ = ${damped.gamma} of the gradient ahead ` +
    `it is at ${compactText(damped.points.at(-1)!)} after ${damped.points.length - 1} steps.`
  );
}

function times(factor: number): string {
  return `${Number(factor.toPrecision(2))} times`;
}

function number(value: number | null): string {
  return value === null ? "–" : value.toFixed(2).replace("-", "−");
}
