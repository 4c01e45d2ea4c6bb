import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Comparison, parseComparison, parseRecord, resumeComparison } from "../../src/audit/index.ts";
import { readSafetensors } from "../../src/tensor/index.ts";
import { fedleak, freshFolder, start } from "./fedleak.ts";

const TINY = ["--model", "lenet-sigmoid", "--size", "8", "--threads", "1"];
const ATTACKS = ["--attacks", "inverting-gradients,inverting-gradients:signed=false"];
/** Trials of half a second: long enough to be killed in one. */
const QUICK = [
  "compare",
  ...TINY,
  ...ATTACKS,
  "--batches",
  "1",
  "--seeds",
  "2",
  "--evaluations",
  "400",
  "--checkpoint-every",
  "25",
];

function comparisonOf(folder: string): Comparison {
  return parseComparison(readFileSync(join(folder, "comparison.json"), "utf8"), folder);
}

/** The table without the seconds, the one thing that differs from run to run. */
function numbersOf(folder: string) {
  return comparisonOf(folder).table.map(({ seconds: _, ...line }) => line);
}

function recordOf(folder: string, id: string) {
  return parseRecord(readFileSync(join(folder, "trials", id, "record.json"), "utf8"), id);
}

function iterationOf(state: string): number {
  return Number(readSafetensors(readFileSync(state), state).metadata.iteration);
}

describe("a comparison", () => {
  const reference = join(freshFolder(), "whole");
  let [stdout, stderr] = ["", ""];
  beforeAll(async () => {
    const ended = await fedleak([...QUICK, "--json", "--out", reference]);
    expect(ended.stderr).not.toMatch(/error/);
    expect(ended.status).toBe(0);
    [stdout, stderr] = [ended.stdout, ended.stderr];
  });

  test("is a folder of ordinary runs with a table, a figure and a report", () => {
    const { status, table, rows } = comparisonOf(reference);
    expect(status).toBe("finished");
    expect(rows.map(({ status: own }) => own)).toEqual(["finished", "finished", "finished", "finished"]);
    expect(table.map(({ trials }) => trials.scored)).toEqual([2, 2]);
    expect(JSON.parse(stdout).table).toEqual(table);
    expect(readdirSync(join(reference, "trials"))).toHaveLength(4);
    for (const file of ["report.html", "table.csv", "table.md", "figure.svg"]) {
      expect(existsSync(join(reference, file)), file).toBe(true);
    }
    expect(stderr).toContain("4/4 trials");
  });

  test("gives each trial the same evaluations, and each attack of a seed the same batch", () => {
    const records = comparisonOf(reference).rows.map(({ id }) => recordOf(reference, id));
    expect(records.map(({ results }) => results!.evaluations)).toEqual([400, 400, 400, 400]);
    const batches = records.map(({ ledger }) => ledger.find(({ assumption }) => assumption === "batch")!.value);
    expect(batches[0]).toBe(batches[1]);
    expect(batches[2]).toBe(batches[3]);
    expect(new Set(records.map(({ results }) => results!.psnrDb.oneToOne)).size).toBe(4);
  });

  test("killed in the middle of a trial and resumed ends with the same table", async () => {
    const out = join(freshFolder(), "killed");
    const run = start([...QUICK, "--out", out]);
    await run.until(/^1\/4 trials/m);
    const state = join(out, "trials", comparisonOf(reference).rows[1]!.id, "state.safetensors");
    while (!existsSync(state) || iterationOf(state) === 0) await new Promise((resolve) => setTimeout(resolve, 5)); // its first checkpoint on the way
    run.child.kill("SIGKILL");
    expect((await run.ended).signal).toBe("SIGKILL");
    const before = recordOf(out, comparisonOf(out).rows[0]!.id);

    const resumed = await fedleak(["resume", out, "--json"]);
    expect(resumed.status).toBe(0);
    expect(resumed.stderr).not.toMatch(/1\/4 trials/); // the first trial is not run again
    expect(numbersOf(out)).toEqual(numbersOf(reference));
    expect(recordOf(out, comparisonOf(out).rows[0]!.id)).toEqual(before);
    const [, half] = comparisonOf(out).rows;
    expect(recordOf(out, half!.id).ledger.find(({ assumption }) => assumption === "resumed")?.value).not.toBe(
      "at iteration 0",
    );
  });

  test("stopped by Ctrl-C with two jobs at once says how to go on, and ends with the same table without them", async () => {
    const out = join(freshFolder(), "stopped");
    const run = start([...QUICK, "--jobs", "2", "--out", out]);
    await run.until(/^1\/4 trials/m);
    run.child.kill("SIGINT");
    const ended = await run.ended;
    expect(ended.status).toBe(130);
    expect(ended.stderr).toContain(`fedleak resume ${out}`);
    expect(comparisonOf(out).status).toBe("interrupted");

    const options = { render: () => "", renderComparison: () => ({}), apart: () => Promise.reject(new Error("no")) };
    await resumeComparison(out, { ...options, jobs: 1 });
    expect(numbersOf(out)).toEqual(numbersOf(reference));
  });
});

test("bad input is told without a stack, and nothing is left behind", async () => {
  const cwd = freshFolder();
  const { status, stderr } = await fedleak(["compare", ...TINY, ...ATTACKS, "--batches", "1000000"], cwd);
  expect(stderr).toMatch(/batch must be a whole number from 1 to \d+, .*got 1000000/);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(status).toBe(2);
  expect(readdirSync(cwd)).toEqual([]);
});
