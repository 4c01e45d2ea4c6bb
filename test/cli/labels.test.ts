import { describe, expect, test } from "vitest";
import { fedleak } from "./fedleak.ts";

const SMALL = ["labels", "--model", "lenet-sigmoid", "--size", "8", "--threads", "1"];

describe.concurrent("labels", () => {
  test("prints a table a batch size, rules before floors, and its progress on stderr", async () => {
    const { status, stdout, stderr } = await fedleak([
      ...SMALL,
      "--batches",
      "1,3",
      "--trials",
      "2",
      "--rules",
      "auto,idlg",
    ]);
    expect(stdout).toMatch(/B = 1 +count % +95 % +exact % +95 %\nauto +100\.0 .*chose counts ×2\nidlg +100\.0/);
    expect(stdout).toMatch(/B = 3[\s\S]*uniform-guess .* floor\nmost-frequent .* floor\nevenly .* floor/);
    expect(stderr).toContain("4/4 batches");
    expect(status).toBe(0);
  });

  test("--json is one object", async () => {
    const { status, stdout } = await fedleak([...SMALL, "--batches", "1", "--trials", "1", "--rules", "yin", "--json"]);
    const { rows, model, draw } = JSON.parse(stdout);
    expect(rows[0]).toMatchObject({ batchSize: 1, kind: "rule", name: "yin", trials: 1, countAccuracy: 1 });
    expect({ model, draw }).toEqual({ model: "lenet-sigmoid", draw: "uniform" });
    expect(status).toBe(0);
  });

  test.each([
    [["--rules", "idgl"], /rule must be one of auto, paper.*Did you mean "idlg"/],
    [["--batches", "1,x"], /"x" is no batch size; write whole numbers, as 1,4,16/],
    [["--trials", "0"], /whole number from 1/],
    [["--batches", "100000"], /at most the \d+ images of embedded.*Pass smaller --batches/],
  ])("%j is an error that says what to do", async (args, words) => {
    const { status, stderr } = await fedleak([...SMALL, ...args]);
    expect(stderr).toMatch(words);
    expect(status).toBe(2);
  });

  test("has help with examples", async () => {
    const { stdout } = await fedleak(["labels", "--help"]);
    expect(stdout).toMatch(/Examples:[\s\S]*\$ fedleak labels/);
    expect(stdout).not.toContain("--learning-rate");
  });
});
