import type { PriorEvent } from "../audit/index.ts";
import { liveLine, type Progress } from "./live-line.ts";
import { clock, rateText } from "./progress-text.ts";

/** Shows how a prior's training gets on, on stderr: one live line on a terminal, a line every tenth of the way elsewhere. */
export function showPriorProgress(out: NodeJS.WriteStream = process.stderr): Progress<PriorEvent> {
  const { note, end, show } = liveLine(out);
  return {
    note,
    end,
    onEvent: (event) => {
      if (event.kind === "stage") note(`${event.text} …`);
      else show(event.step, event.steps, stepText(event));
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
