import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { liveLine } from "../../src/cli/live-line.ts";

/** A stream that keeps what is written to it. */
function stream(isTTY: boolean): { out: NodeJS.WriteStream; text: () => string } {
  let text = "";
  const out = new Writable({
    write: (part, _, done) => {
      text += part;
      done();
    },
  });
  return { out: Object.assign(out, { isTTY, columns: 80 }) as unknown as NodeJS.WriteStream, text: () => text };
}

describe("where there is no terminal", () => {
  test("a line is printed for each part of the way, and where it is asked for", () => {
    const { out, text } = stream(false);
    const { show, isLive } = liveLine(out, 4);
    for (let i = 1; i <= 8; i++) show(i, 8, `at ${i}`, { now: i === 3 });
    expect(isLive).toBe(false);
    expect(text()).toBe("at 2\nat 3\nat 4\nat 6\nat 8\n");
  });

  test("work that goes on from the middle, jumps, or begins again tells each part once", () => {
    const { out, text } = stream(false);
    const { show } = liveLine(out, 2);
    for (const i of [5, 6, 10, 1, 2, 6]) show(i, 10, `at ${i}`);
    expect(text()).toBe("at 5\nat 10\nat 6\n");
  });
});

test("on a terminal a bar is drawn over, left for a note, and nothing is printed twice", () => {
  const { out, text } = stream(true);
  const { show, note, end } = liveLine(out);
  show(1, 4, "first");
  note("between");
  show(4, 4, "last");
  end();
  expect(text()).toMatch(/░ first[\s\S]*\nbetween\n[\s\S]*█ last/);
  expect(text().match(/between/g)).toHaveLength(1);
});
