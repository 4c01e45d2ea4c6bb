import { SingleBar } from "cli-progress";

/** How long work gets on, on a stream: one line with a bar that is drawn over on a terminal, lines now and then elsewhere. */
export interface LiveLine {
  /** Whether there is a terminal to draw on. */
  readonly isLive: boolean;
  /** Draws `done` of `total` with a text on a terminal; prints the text elsewhere, where a part of the way is done or `now` is set. */
  readonly show: (done: number, total: number, text: string, options?: { readonly now?: boolean }) => void;
  /** Prints a line in between. */
  readonly note: (text: string) => void;
  /** Leaves the line; nothing may come after it. */
  readonly end: () => void;
}

/** Shows how some work gets on, by its events. */
export interface Progress<Event> extends Pick<LiveLine, "note" | "end"> {
  readonly onEvent: (event: Event) => void;
}

/** lines: how many are printed of a whole way where there is no terminal. */
export function liveLine(out: NodeJS.WriteStream, lines = LINES): LiveLine {
  let bar: SingleBar | undefined;
  let before: number | undefined; // what was shown last
  const end = () => {
    bar?.stop();
    bar = undefined;
  };
  const note = (text: string) => {
    end();
    out.write(`${text}\n`);
  };
  return {
    isLive: out.isTTY,
    note,
    end,
    show: (done, total, text, { now = false } = {}) => {
      const from = before !== undefined && before < done ? before : done - 1; // less than before: another way begins
      before = done;
      if (out.isTTY) {
        bar ??= begun(out, total, done);
        bar.update(done, { text });
        return;
      }
      const part = (n: number) => Math.floor((n * lines) / total);
      if (now || part(done) > part(from)) note(text);
    },
  };
}

const LINES = 10; // our choice

function begun(out: NodeJS.WriteStream, total: number, done: number): SingleBar {
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
