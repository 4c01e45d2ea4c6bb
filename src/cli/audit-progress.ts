import { SingleBar } from "cli-progress";
import type { AuditEvent } from "../audit/index.ts";
import { clock, rateText } from "./progress-text.ts";

/** Shows how an audit gets on, on stderr: one live line on a terminal, a line every tenth of a search elsewhere. */
export interface AuditProgress {
  readonly onEvent: (event: AuditEvent) => void;
  /** Prints a line in between. */
  readonly note: (text: string) => void;
  /** Leaves the line; nothing may come after it. */
  readonly end: () => void;
}

export function showAuditProgress(out: NodeJS.WriteStream = process.stderr): AuditProgress {
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
      if (event.kind === "checked") return note(`check: ${event.report.verdict}, ${event.report.reasons.join("; ")}`);
      if (event.kind === "folder") return;
      const { iteration, iterations } = event;
      const text = searchText(event);
      if (!out.isTTY) {
        const tenth = (done: number) => Math.floor((done * 10) / iterations);
        if (tenth(iteration) > tenth(iteration - 1)) note(text);
        return;
      }
      if (bar === undefined) {
        bar = new SingleBar({
          ...{ stream: out, format: "{bar} {text}", barsize: 16, barCompleteChar: "█", barIncompleteChar: "░" },
          ...{ hideCursor: true, linewrap: false, fps: 10 },
        });
        bar.start(iterations, iteration, { text });
      }
      bar.update(iteration, { text });
    },
  };
}

/** `seed-0 (1/4)  150/300  2.7 it/s  ETA 0:56, of all 4:20  loss 0.0123  cosine 0.998124` */
export function searchText(event: AuditEvent & { kind: "iteration" }): string {
  const { run, iteration, iterations, seconds, since, loss, cosine } = event;
  const perSecond = (iteration - since.iteration) / (seconds - since.seconds); // of this process
  const left = iterations - iteration;
  return [
    `${run.name} (${run.index + 1}/${run.of})`,
    `${iteration}/${iterations}`,
    rateText(perSecond),
    `ETA ${clock(left / perSecond)}, of all ${clock((left + (run.of - run.index - 1) * iterations) / perSecond)}`,
    `loss ${loss.toPrecision(3)}`,
    `cosine ${cosine.toFixed(6)}`,
  ].join("  ");
}
