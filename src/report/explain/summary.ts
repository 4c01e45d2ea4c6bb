import type { ConvergencePart, ConvergencePoint, Steepness, VariantName, VariantTrace } from "../../audit/index.ts";

/** How each variant is called. */
export const VARIANT_TITLES: Readonly<Record<VariantName, string>> = {
  neither: "neither technique (as Figure 1c)",
  "partial-matching": "partial matching alone",
  regularisation: "gradient regularisation alone",
  both: "both techniques (as Figure 1d)",
};

/** What a variant's points come to; null where no point has the number. */
export interface TraceSummary {
  readonly mu: number | null;
  readonly l: number | null;
  readonly ratio: number | null;
  readonly alignment: number | null;
  /** (upper − lower quartile of μ/L) / |median|: the smaller the steadier. */
  readonly spread: number | null;
  /** The share of points at which μ is negative. */
  readonly away: number | null;
  readonly lastRms: number | null;
}

/** Of the gradient that a variant descends: the blend where it has one, else D itself. */
export function descended({ blended, here }: ConvergencePoint): Steepness {
  return blended ?? here;
}

/** Medians over the points of a variant. */
export function summaryOf({ points }: VariantTrace): TraceSummary {
  const all = points.map(descended);
  const of = (name: keyof Steepness) => all.flatMap((s) => s[name] ?? []);
  const [ratios, mus] = [of("ratio"), of("mu")];
  const middle = quantile(ratios, 0.5);
  const [low, high] = [quantile(ratios, 0.25), quantile(ratios, 0.75)];
  return {
    mu: quantile(mus, 0.5),
    l: quantile(of("l"), 0.5),
    ratio: middle,
    alignment: quantile(of("alignment"), 0.5),
    spread: low === null || high === null || !middle ? null : (high - low) / Math.abs(middle),
    away: mus.length === 0 ? null : mus.filter((mu) => mu < 0).length / mus.length,
    lastRms: points.at(-1)?.rms ?? null,
  };
}

/** The variant of that name, if it was reached and has points. */
export function variantOf(part: ConvergencePart, name: VariantTrace["name"]): VariantTrace | undefined {
  return part.variants.find((variant) => variant.name === name && variant.points.length > 0);
}

/** The q-quantile, linear between neighbours; null of nothing. */
export function quantile(values: readonly number[], q: number): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const [below, above] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return below + (above - below) * (at - Math.floor(at));
}

/** The arithmetic mean of at least one number. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}
