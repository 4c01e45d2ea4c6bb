import type { TrialResult } from "../../audit/index.ts";

/** What a curve is drawn against. */
export type Cost = "evaluations" | "seconds";

/** The mean of several trials' curves at one point of the way, and the least and the most of them there. */
export interface CurvePoint {
  /** Evaluations or seconds. */
  readonly at: number;
  readonly psnrDb: number;
  readonly low: number;
  readonly high: number;
}

/**
 * An attack's curves over the seeds as one, on a common grid of evaluations or seconds.
 *
 * The grid is every point of any curve, from where all have begun to where the last ends. Between its points a curve is a
 * straight line; after its last it keeps that value, since a trial that has ended stays as it is (our choice).
 */
export function meanCurve(curves: readonly TrialResult["curve"][], cost: Cost): CurvePoint[] {
  const whole = curves.filter((curve) => curve.length > 0);
  if (whole.length === 0) return [];
  const begun = Math.max(...whole.map((curve) => curve[0]![cost]));
  const grid = [...new Set(whole.flatMap((curve) => curve.map((point) => point[cost])))].filter((at) => at >= begun);
  return grid
    .sort((a, b) => a - b)
    .map((at) => {
      const values = whole.map((curve) => valueAt(curve, cost, at));
      const sum = values.reduce((total, value) => total + value, 0);
      return { at, psnrDb: sum / values.length, low: Math.min(...values), high: Math.max(...values) };
    });
}

function valueAt(curve: TrialResult["curve"], cost: Cost, at: number): number {
  const next = curve.findIndex((point) => point[cost] >= at);
  if (next < 0) return curve.at(-1)!.psnrDb;
  const [before, after] = [curve[next - 1], curve[next]!];
  if (before === undefined || after[cost] === at) return after.psnrDb;
  const share = (at - before[cost]) / (after[cost] - before[cost]);
  return before.psnrDb + share * (after.psnrDb - before.psnrDb);
}
