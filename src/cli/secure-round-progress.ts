import type { SecureRoundWatcher } from "../audit/index.ts";
import { liveLine } from "./live-line.ts";
import { clock } from "./progress-text.ts";

/** Shows stages and how far each is, on stderr: one live line on a terminal, a line every quarter of the way elsewhere. */
export interface WorkProgress extends Required<SecureRoundWatcher> {
  /** Leaves the line; nothing may come after it. */
  readonly end: () => void;
}

/** Shows on a terminal what a secure round is at. */
export function showWork(out: NodeJS.WriteStream = process.stderr): WorkProgress {
  const { note, end, show } = liveLine(out, LINES);
  let since = performance.now();
  return {
    end,
    onStage: (text) => {
      note(`${text} …`);
      since = performance.now();
    },
    onProgress: (done, of) => {
      const eta = ((performance.now() - since) / 1000 / done) * (of - done);
      show(done, of, `${done}/${of}  ETA ${clock(eta)}`);
    },
  };
}

const LINES = 4; // lines of a stage where there is no terminal; our choice
