import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRecord } from "../../src/audit/index.ts";
import { duration } from "../../src/cli/flag-values.ts";
import { fedleak, freshFolder } from "./fedleak.ts";

const SMALL = ["attack", "--model", "mlp3", "--hidden", "16", "--size", "16", "--batch", "1"];

test("--attack auto solves what can be solved, and says so in the summary, record and report", async () => {
  const out = join(freshFolder(), "run");
  const ended = await fedleak([...SMALL, "--attack", "auto", "--budget", "2m", "--out", out]);
  expect(ended.status, ended.stderr).toBe(0);
  expect(ended.stdout).toContain("linear-leak on mlp3");
  const told = ended.stdout.replaceAll(/\s+/g, " ");
  expect(told).toContain("attack choice: linear-leak: taken, 1 of 1");
  expect(told).toContain("solution: 1 of 1: the ratio of weight and bias gradients");
  const record = parseRecord(readFileSync(join(out, "record.json"), "utf8"), "record.json");
  expect(record.spec.attack.name).toBe("linear-leak");
  expect(record.results!.psnrDb.oneToOne).toBeGreaterThan(90);
  expect(record.results!.iterations).toBe(1);
  expect(record.ledger.map(({ assumption }) => assumption)).toEqual(
    expect.arrayContaining(["attack-choice", "solution"]),
  );
  expect(readFileSync(join(out, "report.html"), "utf8")).toContain("taken, 1 of 1");
});

test("a budget without auto is refused", async () => {
  const ended = await fedleak([...SMALL, "--attack", "fedleak", "--budget", "5m"]);
  expect(ended.status).toBe(2);
  expect(ended.stderr).toContain("--budget: it goes with --attack auto; got --attack fedleak.");
});

test("a budget is a time with its unit", () => {
  expect(["90s", "10m", "1.5h", "2 min", "250ms"].map(duration)).toEqual([90_000, 600_000, 5_400_000, 120_000, 250]);
  for (const text of ["10", "0s", "-5m", "5 parsecs", "m", ""]) {
    expect(() => duration(text)).toThrow("It must be a time with its unit, as 90s, 10m or 2h.");
  }
});
