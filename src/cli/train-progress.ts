import { SingleBar } from "cli-progress";
import type { AdvanceEvent, TrainEvent } from "../audit/index.ts";
import { clock } from "./progress-text.ts";

/** Shows how a training gets on, on stderr: one live line on a terminal, a line every twentieth of the way elsewhere. */
export interface TrainProgress {
  readonly onEvent: (event: TrainEvent) => void;
  /** Prints a line in between. */
  readonly note: (text: string) => void;
  /** Leaves the line; nothing may come after it. */
  readonly end: () => void;
}

export function showTrainProgress(out: NodeJS.WriteStream = process.stderr): TrainProgress {
  let bar: SingleBar | undefined;
  let accuracy: number | undefined; // the last one stays on the line
  const end = () => {
    bar?.stop();
    bar = undefined;
  };
  const note = (text: string) => {
    end();
    out.write(`${text}\n`);
  };
  return {
    note,
    end,
    onEvent: (event) => {
      if (event.kind === "stage") note(`${event.text} …`);
      if (event.kind !== "advance") return;
      accuracy = event.accuracy ?? accuracy;
      const text = advanceText({ ...event, ...(accuracy !== undefined && { accuracy }) });
      if (!out.isTTY) {
        const part = (done: number) => Math.floor((done * LINES) / event.total);
        if (part(event.done) > part(event.done - 1) || event.accuracy !== undefined) note(text);
        return;
      }
      if (bar === undefined) {
        bar = new SingleBar({
          ...{ stream: out, format: "{bar} {text}", barsize: 16, barCompleteChar: "█", barIncompleteChar: "░" },
          ...{ hideCursor: true, linewrap: false, fps: 10 },
        });
        bar.start(event.total, event.done, { text });
      }
      bar.update(event.done, { text });
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
