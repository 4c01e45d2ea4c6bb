import { SingleBar } from "cli-progress";
import type { SecureRoundWatcher } from "../audit/index.ts";
import { clock } from "./progress-text.ts";

/** Shows stages and how far each is, on stderr: one live line on a terminal, a line every quarter of the way elsewhere. */
export interface WorkProgress extends Required<SecureRoundWatcher> {
  /** Leaves the line; nothing may come after it. */
  readonly end: () => void;
}

export function showWork(out: NodeJS.WriteStream = process.stderr): WorkProgress {
  let since = performance.now();
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
    end,
    onStage: (text) => {
      note(`${text} …`);
      since = performance.now();
    },
    onProgress: (done, of) => {
      const eta = ((performance.now() - since) / 1000 / done) * (of - done);
      const text = `${done}/${of}  ETA ${clock(eta)}`;
      if (!out.isTTY) {
        const part = (n: number) => Math.floor((n * LINES) / of);
        if (part(done) > part(done - 1)) note(text);
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

const LINES = 4; // lines of a stage where there is no terminal; our choice
