import type { IterationEvent, RunEvent } from "../audit/index.ts";
import { liveLine, type Progress } from "./live-line.ts";
import { measured } from "./progress-text.ts";

/** Shows how a run gets on, on stderr: one live line on a terminal, a line every tenth of the way elsewhere. */
export function showProgress(out: NodeJS.WriteStream = process.stderr): Progress<RunEvent> {
  const { isLive, note, end, show } = liveLine(out);
  let part: IterationEvent["part"] | undefined;
  let peekPsnrDb: number | undefined; // the last one stays on a live line
  return {
    note,
    end,
    onEvent: (event) => {
      if (event.kind === "stage") note(isLive ? `${event.text} …` : event.text);
      if (event.kind !== "iteration") return;
      if (part !== event.part) {
        if (isLive || event.part === "mismatched") note(isLive ? `${TITLES[event.part]} …` : TITLES[event.part]);
        part = event.part;
        peekPsnrDb = undefined;
      }
      peekPsnrDb = event.peekPsnrDb ?? (isLive ? peekPsnrDb : undefined);
      show(event.iteration, event.iterations, measured(event, peekPsnrDb));
    },
  };
}

const TITLES: Readonly<Record<IterationEvent["part"], string>> = {
  attack: "attacking",
  mismatched: "attacking another update, for the floor",
};
