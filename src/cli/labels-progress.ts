import { SingleBar } from "cli-progress";
import { clock } from "./progress-text.ts";

/** Shows how many of a known number are done, on stderr: one live line on a terminal, a line every tenth of the way elsewhere. */
export interface CountProgress {
  readonly onCount: (done: number, of: number) => void;
  /** Prints a line in between. */
  readonly note: (text: string) => void;
  /** Leaves the line; nothing may come after it. */
  readonly end: () => void;
}

export function showCount(out: NodeJS.WriteStream = process.stderr): CountProgress {
  const since = performance.now();
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
    onCount: (done, of) => {
      const eta = ((performance.now() - since) / 1000 / done) * (of - done);
      const text = `${done}/${of} batches  ETA ${clock(eta)}`;
      if (!out.isTTY) {
        const tenth = (n: number) => Math.floor((n * 10) / of);
        if (tenth(done) > tenth(done - 1)) note(text);
        return;
      }
      if (bar === undefined) {
        const look = { barCompleteChar: "█", barIncompleteChar: "░", barsize: 16, hideCursor: true };
        bar = new SingleBar({ stream: out, format: "{bar} {text}", linewrap: false, fps: 10, ...look });
        bar.start(of, 0, { text: "" });
      }
      bar.update(done, { text });
    },
  };
}
