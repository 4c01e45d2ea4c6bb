import type { RunRecord, RunResults } from "../record-schema.ts";
import { assumptionsIn } from "./assumptions.ts";
import type { TrialResult, TrialRow } from "./comparison.ts";
import type { TrialPlan } from "./expand.ts";

/** The row of a trial that has not run yet, or has no record to tell more. */
export function emptyRow(
  { id, setting, batchSize, attack, seed }: TrialPlan,
  status: "pending" | "running" | "interrupted" = "pending",
): TrialRow {
  return { id, setting, batchSize, attack, seed, status };
}

/** The row of a trial that could not begin, or broke off without a record. */
export function failedRow(trial: TrialPlan, failure: string): TrialRow {
  return { ...emptyRow(trial), status: "failed", failure };
}

/** The row of a trial from the record of its run. */
export function rowOf(trial: TrialPlan, record: RunRecord): TrialRow {
  const { status, failure, results, curve, inputs, versions } = record;
  return {
    ...emptyRow(trial),
    status,
    ...(failure !== undefined && { failure }),
    ...((status === "finished" || status === "failed") && results && { result: resultOf(results, curve) }),
    ...(inputs && { inputs }),
    assumptions: assumptionsIn(record),
    versions,
  };
}

function resultOf(results: RunResults, curve: RunRecord["curve"]): TrialResult {
  const { pairs, ssim, labels, evaluations, iterations, seconds } = results;
  return {
    psnrDb: {
      oneToOne: pairs.oneToOne.map(({ psnrDb }) => psnrDb),
      manyToOne: pairs.manyToOne.map(({ psnrDb }) => psnrDb),
    },
    ssim,
    floor: highestFloor(results.floors),
    labels: { granted: labels.granted, countAccuracy: labels.countAccuracy },
    evaluations,
    iterations,
    seconds,
    curve: [
      ...curve.flatMap(({ iteration, evaluations: spent, seconds: at, peekPsnrDb }) =>
        spent === undefined || peekPsnrDb === undefined || iteration >= iterations
          ? []
          : [{ evaluations: spent, seconds: at, psnrDb: peekPsnrDb }],
      ),
      { evaluations, seconds, psnrDb: results.psnrDb.oneToOne },
    ],
  };
}

/** `batchMean` → `batch mean` */
function highestFloor(floors: RunResults["floors"]): TrialResult["floor"] {
  return Object.entries(floors)
    .flatMap(([key, floor]) => {
      const name = key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
      return floor ? [{ name, psnrDb: floor.psnrDb }] : [];
    })
    .reduce((best, floor) => (floor.psnrDb > best.psnrDb ? floor : best));
}
