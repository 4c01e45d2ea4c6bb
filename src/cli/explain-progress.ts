import type { ExplainEvent, PartName } from "../audit/index.ts";
import { liveLine, type Progress } from "./live-line.ts";
import { clock } from "./progress-text.ts";

/** Shows how an explanation gets on, on stderr: one live line on a terminal, a line every tenth of a part elsewhere. */
const TITLES: Readonly<Record<PartName, string>> = {
  convergence: "convergence: four runs of the attack",
  noise: "noise: gradients of disturbed images",
  sensitivity: "sensitivity: derivatives of gradient entries",
  damping: "damping: the example",
};

/** Shows on a terminal how far an explanation is. */
export function showExplainProgress(out: NodeJS.WriteStream = process.stderr): Progress<ExplainEvent> {
  const { note, end, show } = liveLine(out);
  let pace = startOf(0);
  return {
    note,
    end,
    onEvent: (event) => {
      if (event.kind === "stage") note(`${event.text} …`);
      if (event.kind === "part" && event.state === "begun") {
        note(`${TITLES[event.part]} …`);
        pace = startOf(0);
      }
      if (event.kind === "part" && event.state === "kept") note(`${event.part}: done before, kept`);
      if (event.kind !== "progress") return;
      const { done, total } = event;
      if (pace.done > done || pace.done === 0) pace = startOf(done); // what was kept, or compiled before, tells no pace
      show(done, total, progressText(done, total, pace));
    },
  };
}

interface Pace {
  readonly done: number;
  readonly at: number;
}

function startOf(done: number): Pace {
  return { done, at: performance.now() };
}

/** `120/400  ETA 0:35`; a dash while nobody can tell. */
function progressText(done: number, total: number, since: Pace): string {
  const perSecond = (done - since.done) / ((performance.now() - since.at) / 1000);
  return `${done}/${total}  ETA ${clock(done === total ? 0 : (total - done) / perSecond)}`;
}
