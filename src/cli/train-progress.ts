import type { AdvanceEvent, TrainEvent } from "../audit/index.ts";
import { liveLine, type Progress } from "./live-line.ts";
import { clock } from "./progress-text.ts";

/** Shows how a training gets on, on stderr: one live line on a terminal, a line every twentieth of the way elsewhere. */
export function showTrainProgress(out: NodeJS.WriteStream = process.stderr): Progress<TrainEvent> {
  const { note, end, show } = liveLine(out, LINES);
  let accuracy: number | undefined; // the last one stays on the line
  return {
    note,
    end,
    onEvent: (event) => {
      if (event.kind === "stage") note(`${event.text} …`);
      if (event.kind !== "advance") return;
      accuracy = event.accuracy ?? accuracy;
      const text = advanceText({ ...event, ...(accuracy !== undefined && { accuracy }) });
      show(event.done, event.total, text, { now: event.accuracy !== undefined });
    },
  };
}

const LINES = 20; // lines of a whole training where there is no terminal; our choice

/** `150/1500 steps  2.7/s  ETA 8:20  loss 1.23  train 56 %  public 54.1 %` */
export function advanceText({
  unit,
  done,
  total,
  seconds,
  since,
  loss,
  trainAccuracy,
  accuracy,
}: AdvanceEvent): string {
  const perSecond = (done - since.done) / (seconds - since.seconds); // of this process
  return [
    `${done}/${total} ${unit}s`,
    perSecond >= 0.1 ? `${perSecond.toPrecision(2)}/s` : `${(1 / perSecond).toFixed(0)} s each`,
    `ETA ${clock((total - done) / perSecond)}`,
    `loss ${loss.toPrecision(3)}`,
    ...(trainAccuracy === undefined ? [] : [`train ${(100 * trainAccuracy).toFixed(0)} %`]),
    ...(accuracy === undefined ? [] : [`public ${(100 * accuracy).toFixed(1)} %`]),
  ].join("  ");
}
