import type { AuditEvent } from "../audit/index.ts";
import { liveLine, type Progress } from "./live-line.ts";
import { clock, rateText } from "./progress-text.ts";

/** Shows how an audit gets on, on stderr: one live line on a terminal, a line every tenth of a search elsewhere. */
export function showAuditProgress(out: NodeJS.WriteStream = process.stderr): Progress<AuditEvent> {
  const { note, end, show } = liveLine(out);
  return {
    note,
    end,
    onEvent: (event) => {
      if (event.kind === "stage") note(`${event.text} …`);
      if (event.kind === "checked") note(`check: ${event.report.verdict}, ${event.report.reasons.join("; ")}`);
      if (event.kind === "iteration") show(event.iteration, event.iterations, searchText(event));
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
