import { SingleBar } from "cli-progress";
import type { ExplainEvent, PartName } from "../audit/index.ts";
import { clock } from "./progress-text.ts";

/** Shows how an explanation gets on, on stderr: one live line on a terminal, a line every tenth of a part elsewhere. */
export interface ExplainProgress {
  readonly onEvent: (event: ExplainEvent) => void;
  /** Prints a line in between. */
  readonly note: (text: string) => void;
  /** Leaves the line; nothing may come after it. */
  readonly end: () => void;
}

const TITLES: Readonly<Record<PartName, string>> = {
  convergence: "convergence: four runs of the attack",
  noise: "noise: gradients of disturbed images",
  sensitivity: "sensitivity: derivatives of gradient entries",
  damping: "damping: the example",
};

export function showExplainProgress(out: NodeJS.WriteStream = process.stderr): ExplainProgress {
  let bar: SingleBar | undefined;
  let pace = startOf(0);
  let tenth = 0;
  const leave = () => {
    bar?.stop();
    bar = undefined;
  };
  const note = (text: string) => {
    leave();
    out.write(`${text}\n`);
  };
  const begin = (part: PartName) => {
    note(`${TITLES[part]} …`);
    pace = startOf(0);
    tenth = 0;
  };
  const show = (done: number, total: number) => {
    if (pace.done > done || pace.done === 0) pace = startOf(done); // what was kept, or compiled before, tells no pace
    const text = progressText(done, total, pace);
    if (out.isTTY) {
      bar ??= startBar(out, total, done);
      bar.update(done, { text });
    } else if (Math.floor((done * 10) / total) > tenth) {
      tenth = Math.floor((done * 10) / total);
      note(text);
    }
  };
  return {
    note,
    end: leave,
    onEvent: (event) => {
      if (event.kind === "stage") note(`${event.text} …`);
      if (event.kind === "part" && event.state === "begun") begin(event.part);
      if (event.kind === "part" && event.state === "kept") note(`${event.part}: done before, kept`);
      if (event.kind === "progress") show(event.done, event.total);
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

function startBar(out: NodeJS.WriteStream, total: number, done: number): SingleBar {
  const bar = new SingleBar({
    stream: out,
    format: "{bar} {text}",
    barsize: 16,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    hideCursor: true,
    linewrap: false,
    fps: 10,
  });
  bar.start(total, done, { text: "" });
  return bar;
}
