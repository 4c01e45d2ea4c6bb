import { SingleBar } from "cli-progress";
import type { PriorEvent } from "../audit/index.ts";
import { clock, rateText } from "./progress-text.ts";

/** Shows how a prior's training gets on, on stderr: one live line on a terminal, a line every tenth of the way elsewhere. */
export interface PriorProgress {
  readonly onEvent: (event: PriorEvent) => void;
  /** Prints a line in between. */
  readonly note: (text: string) => void;
  /** Leaves the line; nothing may come after it. */
  readonly end: () => void;
}

export function showPriorProgress(out: NodeJS.WriteStream = process.stderr): PriorProgress {
  let bar: SingleBar | undefined;
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
      if (event.kind === "stage") return note(`${event.text} …`);
      const { step, steps } = event;
      const text = stepText(event);
      if (!out.isTTY) {
        const tenth = (done: number) => Math.floor((done * 10) / steps);
        if (tenth(step) > tenth(step - 1)) note(text);
        return;
      }
      if (bar === undefined) {
        bar = new SingleBar({
          ...{ stream: out, format: "{bar} {text}", barsize: 16, barCompleteChar: "█", barIncompleteChar: "░" },
          ...{ hideCursor: true, linewrap: false, fps: 10 },
        });
        bar.start(steps, step, { text });
      }
      bar.update(step, { text });
    },
  };
}

/** `150/3000  6.2 it/s  ETA 7:40  loss 0.0123 + 0.0087`: the squared errors of decoder and restorer. */
export function stepText({ step, steps, seconds, since, decoding, restoring }: PriorEvent & { kind: "step" }): string {
  const perSecond = (step - since.step) / (seconds - since.seconds); // of this process
  return [
    `${step}/${steps}`,
    rateText(perSecond),
    `ETA ${clock((steps - step) / perSecond)}`,
    `loss ${decoding.toPrecision(3)} + ${restoring.toPrecision(3)}`,
  ].join("  ");
}
