import { isUnusable } from "../checkpoint.ts";
import { setTrialAside } from "../compare/compare-folder.ts";
import type { TrainWatcher } from "../train/events.ts";
import type { RenderTraining } from "../train/files.ts";
import type { TrainRecord } from "../train/record.ts";
import { resumeTraining, runTraining } from "../train/run.ts";
import type { TrainSpec } from "../train/spec.ts";
import type { CellTraining } from "./record.ts";
import { findTrainRecord } from "./tradeoff-folder.ts";

export interface TrainCell {
  /** The training's own folder. */
  readonly folder: string;
  readonly spec: TrainSpec;
  /** For the record of the training. */
  readonly command: string;
  readonly render: RenderTraining;
}

/**
 * Trains the model of a cell as an ordinary training in its folder: from the start, or from its checkpoint if it has one.
 *
 * One that has ended is not trained again; one whose checkpoint is of no use begins anew, and what it left is kept beside it.
 * Throws FedleakError where it cannot begin or go on.
 */
export async function trainCell(
  { folder, spec, command, render }: TrainCell,
  watcher: TrainWatcher,
): Promise<TrainRecord> {
  const stored = await findTrainRecord(folder);
  const begin = async () => {
    await setTrialAside(folder);
    return (await runTraining(spec, { ...watcher, render, command, out: folder })).record;
  };
  if (stored === undefined || stored === "damaged") return begin();
  if (stored.status === "finished" || stored.status === "failed") return stored;
  try {
    return (await resumeTraining(folder, { ...watcher, render })).record;
  } catch (error) {
    if (!isUnusable(error)) throw error;
    watcher.onEvent?.({ kind: "stage", text: `beginning anew: ${error.message}` });
    return begin();
  }
}

/** What a training came to, for the row of its cell; undefined before its end. */
export function trainingOutcome({
  status,
  results,
  curve,
  unit,
  ledger,
  defences,
}: TrainRecord): CellTraining | undefined {
  if (status !== "finished" && status !== "failed") return undefined;
  const measured = results?.test ?? results?.open;
  return {
    ...{ status, unit, done: results?.done ?? curve.at(-1)?.done ?? 0 },
    seconds: results?.seconds ?? curve.at(-1)?.seconds ?? 0,
    ...(measured && { accuracy: measured.accuracy, images: measured.images, loss: measured.loss }),
    ...(measured?.majorityFloor !== undefined && { majorityFloor: measured.majorityFloor }),
    ...(measured && { accuracyOn: results?.test ? ("test" as const) : ("public" as const) }),
    privacy: ledger.filter(({ assumption }) => assumption === "privacy").map(({ value }) => value),
    defences: results?.defences ?? defences ?? [],
  };
}
