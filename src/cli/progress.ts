import { SingleBar } from "cli-progress";
import type { IterationEvent, RunEvent } from "../audit/index.ts";
import { measured } from "./progress-text.ts";

/** Shows how a run gets on, on stderr: one live line on a terminal, a line every tenth of the way elsewhere. */
export interface Progress {
  readonly onEvent: (event: RunEvent) => void;
  /** Prints a line in between. */
  readonly note: (text: string) => void;
  /** Leaves the line; nothing may come after it. */
  readonly end: () => void;
}

export function showProgress(out: NodeJS.WriteStream = process.stderr): Progress {
  return out.isTTY ? liveLine(out) : plainLines(out);
}

const TITLES: Readonly<Record<IterationEvent["part"], string>> = {
  attack: "attacking",
  mismatched: "attacking another update, for the floor",
};

function liveLine(out: NodeJS.WriteStream): Progress {
  let bar: SingleBar | undefined;
  let part: IterationEvent["part"] | undefined;
  let peekPsnrDb: number | undefined; // the last one stays on the line
  const leave = () => {
    bar?.stop();
    bar = undefined;
  };
  const note = (text: string) => {
    leave();
    out.write(`${text}\n`);
  };
  return {
    note,
    end: leave,
    onEvent: (event) => {
      if (event.kind === "stage") note(`${event.text} …`);
      if (event.kind !== "iteration") return;
      if (part !== event.part) {
        note(`${TITLES[event.part]} …`);
        part = event.part;
        peekPsnrDb = undefined;
      }
      if (bar === undefined) {
        bar = new SingleBar({
          stream: out,
          format: "{bar} {text}",
          barsize: 16,
          barCompleteChar: "█",
          barIncompleteChar: "░",
          hideCursor: true,
          linewrap: false,
          fps: 10,
        });
        bar.start(event.iterations, event.iteration, { text: "" });
      }
      peekPsnrDb = event.peekPsnrDb ?? peekPsnrDb;
      bar.update(event.iteration, { text: measured(event, peekPsnrDb) });
    },
  };
}

function plainLines(out: NodeJS.WriteStream): Progress {
  const note = (text: string) => out.write(`${text}\n`);
  return {
    note,
    end: () => undefined,
    onEvent: (event) => {
      if (event.kind === "stage") note(event.text);
      if (event.kind !== "iteration") return;
      const { iteration, iterations } = event;
      const tenth = (i: number) => Math.floor((i * 10) / iterations);
      if (iteration === event.since.iteration + 1 && event.part === "mismatched") note(TITLES.mismatched);
      if (tenth(iteration) > tenth(iteration - 1)) note(measured(event, event.peekPsnrDb));
    },
  };
}
