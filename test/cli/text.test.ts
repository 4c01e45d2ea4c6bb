import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { commandLine } from "../../src/cli/command-line.ts";
import { clock, rateText } from "../../src/cli/progress-text.ts";
import { table, wrapped } from "../../src/cli/text-layout.ts";

test("a command line means the same to a shell again", () => {
  const args = ["attack", "--images", "my photos", "it's", "$HOME", "a;b", "", "--tv=1e-5", "ü*"];
  const line = commandLine(args).replace(/^fedleak/, "printf '%s\\n'");
  expect(execFileSync("bash", ["-c", line], { encoding: "utf8" }).split("\n").slice(0, -1)).toEqual(args);
});

test("times and rates", () => {
  expect([0, 59.6, 61, 3600, 7265].map(clock)).toEqual(["0:00", "1:00", "1:01", "1:00:00", "2:01:05"]);
  expect(clock(Number.POSITIVE_INFINITY)).toBe("–");
  expect([0.0412, 2.66, 412.7].map(rateText)).toEqual(["0.041 it/s", "2.7 it/s", "413 it/s"]);
});

test("tables align words left and figures right", () => {
  expect(
    table([
      ["", "PSNR"],
      ["flat", "9.10 dB"],
      ["mean grey", "14.30 dB"],
      ["none", "–"],
    ]),
  ).toEqual(["               PSNR", "flat        9.10 dB", "mean grey  14.30 dB", "none              –"]);
  expect(table([["a", "1"], ["b"]])).toEqual(["a  1", "b"]);
});

test("text is broken at spaces only", () => {
  expect(wrapped("aa bb cccccc d", 5)).toEqual(["aa bb", "cccccc", "d"]);
});
