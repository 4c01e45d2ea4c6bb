import { liveLine } from "./live-line.ts";
import { clock } from "./progress-text.ts";

/** Shows how many of a known number are done, on stderr: one live line on a terminal, a line every tenth of the way elsewhere. */
export interface CountProgress {
  readonly onCount: (done: number, of: number) => void;
  /** Prints a line in between. */
  readonly note: (text: string) => void;
  /** Leaves the line; nothing may come after it. */
  readonly end: () => void;
}

/** Shows on a terminal how many batches are done. */
export function showCount(out: NodeJS.WriteStream = process.stderr): CountProgress {
  const since = performance.now();
  const { note, end, show } = liveLine(out);
  return {
    note,
    end,
    onCount: (done, of) => {
      const eta = ((performance.now() - since) / 1000 / done) * (of - done);
      show(done, of, `${done}/${of} batches  ETA ${clock(eta)}`);
    },
  };
}
