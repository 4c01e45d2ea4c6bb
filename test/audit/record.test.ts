import { beforeAll, describe, expect, test } from "vitest";
import {
  checkRecord,
  parseRecord,
  type RunRecord,
  type RunResults,
  requiredAssumptions,
} from "../../src/audit/index.ts";
import { FedleakError } from "../../src/util/index.ts";
import { fakeRun } from "../report/fixture.ts";

let record: RunRecord;
let results: RunResults;
beforeAll(async () => {
  record = (await fakeRun()).record;
  results = record.results!;
});

/** The error's text; fails when nothing is thrown, or something other than a FedleakError. */
function complaint(value: unknown): string {
  try {
    checkRecord(value, "r.json");
  } catch (error) {
    expect(error).toBeInstanceOf(FedleakError);
    return (error as Error).message;
  }
  return expect.fail("it was accepted");
}

test("a record survives writing and reading", () => {
  expect(parseRecord(JSON.stringify(record), "r.json")).toEqual(record);
});

describe("refuses", () => {
  test("what is no JSON, naming the file", () => {
    expect(() => parseRecord('{"format":', "runs/7/record.json")).toThrow(
      "runs/7/record.json: a record must be JSON; got",
    );
  });

  test.each([[null], [[]], ["text"], [{}], [{ format: "other" }]])("%j, which is no record", (value) => {
    expect(complaint(value)).toContain(`r.json: "format" must be "fedleak-record"; got`);
  });

  test("another version", () => {
    expect(complaint({ ...record, version: 1 })).toBe(
      `r.json: "version" must be 2; got 1. Read it with the version of fedleak that wrote it.`,
    );
  });

  test("unknown, missing and impossible entries, saying where", () => {
    const { command: _, ...rest } = record;
    expect(complaint({ ...record, colour: 1 })).toContain(`record: Unrecognized key: "colour"`);
    expect(complaint(rest)).toContain("command: ");
    expect(complaint({ ...record, status: "done" })).toContain("status: ");
    expect(complaint({ ...record, ledger: [{ ...record.ledger[0], origin: "guess" }] })).toContain("ledger.0.origin: ");
    expect(complaint({ ...record, ledger: [{ ...record.ledger[0], assumption: "Labels known" }] })).toContain(
      "must be kebab-case",
    );
    expect(complaint({ ...record, curve: [{ ...record.curve[0], loss: Number.NaN }] })).toContain("curve.0.loss: ");
    expect(complaint({ ...record, results: { ...results, psnrDb: { oneToOne: Infinity, manyToOne: 3 } } })).toContain(
      "results.psnrDb.oneToOne: ",
    );
  });

  test.each(requiredAssumptions)("numbers that do not say what they assume: %s", (name) => {
    const ledger = record.ledger.filter((entry) => entry.assumption !== name);
    expect(complaint({ ...record, ledger })).toContain(`ledger: "${name}" is missing`);
    const { results: _, ...unscored } = record;
    expect(complaint({ ...unscored, status: "interrupted", ledger })).toContain(`"${name}" is missing`);
  });

  test("an assumption that stands twice", () => {
    expect(complaint({ ...record, ledger: [...record.ledger, record.ledger[0]] })).toContain(
      `ledger: "labels" stands twice`,
    );
  });

  test("a state without what belongs to it", () => {
    const { results: _, ...unscored } = record;
    expect(complaint(unscored)).toContain("results: a finished run must have some");
    expect(complaint({ ...record, status: "failed" })).toContain("failure: a failed run must say why");
    expect(complaint({ ...record, failure: "x" })).toContain("failure: only a failed run has one");
  });

  test.each(["psnrDb", "mse", "ssim", "msSsim"] as const)("a mean %s that is not its rows'", (metric) => {
    for (const pairing of ["oneToOne", "manyToOne"] as const) {
      const stated = { ...results[metric], [pairing]: results[metric][pairing]! + 1e-4 };
      expect(complaint({ ...record, results: { ...results, [metric]: stated } })).toContain(
        `${metric}.${pairing}: is not the mean`,
      );
    }
  });

  test("a mean SSIM where a row has none", () => {
    const [first, ...others] = results.pairs.oneToOne;
    const pairs = { ...results.pairs, oneToOne: [{ ...first, ssim: null }, ...others] };
    expect(complaint({ ...record, results: { ...results, pairs } })).toContain("ssim.oneToOne: is not the mean");
  });

  test("rows that contradict the pairing", () => {
    const rows = results.pairs.oneToOne;
    const withRows = (pairs: unknown) => complaint({ ...record, results: { ...results, pairs } });
    const reused = rows.map((row) => ({ ...row, reconstructionIndex: 0 }));
    expect(withRows({ ...results.pairs, oneToOne: reused })).toContain("a reconstruction is used twice");
    expect(withRows({ ...results.pairs, oneToOne: [...rows].reverse() })).toContain("row i must be true image i");
    expect(withRows({ ...results.pairs, manyToOne: results.pairs.manyToOne.slice(1) })).toContain(
      "both pairings must have a row",
    );
  });

  test("lists that are not one for each true image", () => {
    const labels = { ...results.labels, trueLabels: [1, 2] };
    const floors = { ...results.floors, flatGrey: { ...results.floors.flatGrey, perImagePsnrDb: [12] } };
    expect(complaint({ ...record, results: { ...results, labels } })).toContain("labels.trueLabels: must be one");
    expect(complaint({ ...record, results: { ...results, floors } })).toContain("perImagePsnrDb must be one");
  });
});

describe("accepts", () => {
  test("a run that failed before it had a number, with the ledger it had", () => {
    const { results: _, ...unscored } = record;
    const failed = {
      ...unscored,
      status: "failed",
      failure: "no such file: weights.safetensors",
      curve: [],
      ledger: [],
    };
    expect(checkRecord(failed, "r.json").failure).toBe("no such file: weights.safetensors");
  });

  test("more entries in the spec, such as defences, but none missing", () => {
    expect(checkRecord({ ...record, spec: { ...record.spec, notes: { a: [1] } } }, "r.json").spec.notes).toEqual({
      a: [1],
    });
    const { seed: _, ...spec } = record.spec;
    expect(complaint({ ...record, spec })).toContain("spec.seed: ");
  });

  test("a result without the mismatched-gradient floor", () => {
    const { mismatchedGradient: _, ...floors } = results.floors;
    expect(
      checkRecord({ ...record, results: { ...results, floors } }, "r.json").results!.floors.mismatchedGradient,
    ).toBeUndefined();
  });
});
