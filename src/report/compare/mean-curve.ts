import type { TrialResult } from "../../audit/index.ts";

/** The mean of several trials' curves at one point of the way, and the least and the most of them there. */
export interface CurvePoint {
  readonly evaluations: number;
  readonly seconds: number;
  readonly psnrDb: number;
  readonly low: number;
  readonly high: number;
}

/**
 * An attack's curves over the seeds as one: the k-th points of all are averaged, as far as the shortest curve goes.
 *
 * Trials of one attack have one budget and peek at the same iterations, so their k-th points belong together.
 */
export function meanCurve(curves: readonly TrialResult["curve"][]): CurvePoint[] {
  if (curves.length === 0) return [];
  const length = Math.min(...curves.map((curve) => curve.length));
  return Array.from({ length }, (_, k) => {
    const points = curves.map((curve) => curve[k]!);
    const values = points.map(({ psnrDb }) => psnrDb);
    return {
      evaluations: mean(points.map(({ evaluations }) => evaluations)),
      seconds: mean(points.map(({ seconds }) => seconds)),
      psnrDb: mean(values),
      low: Math.min(...values),
      high: Math.max(...values),
    };
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
