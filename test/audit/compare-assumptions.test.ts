import { describe, expect, test } from "vitest";
import { assumptionsIn, assumptionsOf } from "../../src/audit/compare/assumptions.ts";
import { withSameInputs } from "../../src/audit/compare/same-inputs.ts";
import type { TrialRow } from "../../src/audit/index.ts";

const PLAN = {
  settings: [{ name: "one" }, { name: "two" }],
  batches: [{ size: 2, evaluations: 30 }],
  mismatchedFloor: false,
};

function rowOf(attack: string, seed: number, more: Partial<TrialRow> = {}): TrialRow {
  const place = { id: `one-b2-${attack}-s${seed}`, setting: "one", batchSize: 2, attack, seed };
  return { ...place, status: "finished", ...more };
}

describe("what a table assumes", () => {
  test("is what all rows say, and apart from it what they do not, with whose it is", () => {
    const said = (labels: string) => ({ assumptions: { weights: "initial", labels } });
    const rows = [
      rowOf("a", 0, said("known")),
      rowOf("b", 0, said("inferred")),
      rowOf("a", 1, said("known")),
      rowOf("b", 1, said("known")),
      rowOf("c", 1),
    ];
    const [cell, ...others] = assumptionsOf(PLAN, rows);
    expect(others).toEqual([]); // no row of setting two has a record
    expect(cell).toMatchObject({ setting: "one", batchSize: 2 });
    expect(cell!.shared).toEqual({
      weights: "initial",
      budget: "at most 30 gradient evaluations a trial",
      floor: expect.stringMatching(/highest of a blank picture.*not measured/),
    });
    expect(cell!.differing).toEqual([
      {
        assumption: "labels",
        groups: [
          { value: "known", rows: ["a", "b (seed 1)"] },
          { value: "inferred", rows: ["b (seed 0)"] },
        ],
      },
    ]);
    expect(assumptionsOf({ ...PLAN, mismatchedFloor: true }, rows)[0]!.shared.floor).toMatch(/another batch's update$/);
  });

  test("names the client of each seed once, unless attacks of one seed had different ones", () => {
    const of = (client: string) => ({ assumptions: { partition: "iid, 5 clients", client } });
    const rows = [rowOf("a", 0, of("2 of 0 to 4")), rowOf("b", 0, of("2 of 0 to 4")), rowOf("a", 1, of("3 of 0 to 4"))];
    const [cell] = assumptionsOf(PLAN, rows);
    expect(cell!.shared).toMatchObject({
      partition: "iid, 5 clients",
      client: "seed 0: 2 of 0 to 4; seed 1: 3 of 0 to 4",
    });
    expect(cell!.differing).toEqual([]);
    const [mixed] = assumptionsOf(PLAN, [...rows, rowOf("b", 1, of("4 of 0 to 4"))]);
    expect(mixed!.shared.client).toBeUndefined();
    expect(mixed!.differing.map(({ assumption }) => assumption)).toEqual(["client"]);
  });

  test("comes from the trial's ledger: who knows what, BatchNorm on both sides, the rule of the draw", () => {
    const ledger = [
      { assumption: "granted", value: "labels", origin: "user" },
      { assumption: "bn-mode", value: "by the batch", origin: "release", note: "the attack normalises likewise" },
      { assumption: "batch", value: "images 3, 4", origin: "measured", note: "drawn uniformly" },
      { assumption: "tv", value: "0.1", origin: "paper" },
    ] as const;
    expect(assumptionsIn({ ledger })).toEqual({
      granted: "labels",
      "bn-mode": "by the batch; the attack normalises likewise",
      draw: "drawn uniformly",
    });
  });
});

describe("the inputs of one seed", () => {
  const inputs = (batch: string, weights = "w") => ({ inputs: { batch, weights } });

  test("that differ from those of most rows make a failed row without a score", () => {
    const rows = [rowOf("a", 0, inputs("x")), rowOf("b", 0, inputs("y")), rowOf("c", 0, inputs("y", "w"))];
    const [a, ...rest] = withSameInputs(rows.map((row) => ({ ...row, result: RESULT })));
    expect(a).toMatchObject({
      status: "failed",
      failure: expect.stringMatching(/must see the same batch.*got batch x/),
    });
    expect(a!.result).toBeUndefined();
    expect(rest.every(({ status, result }) => status === "finished" && result === RESULT)).toBe(true);
  });

  test("count against the first row where two disagree, weights too", () => {
    const [a, b] = withSameInputs([rowOf("a", 0, inputs("x")), rowOf("b", 0, inputs("x", "v"))]);
    expect(a!.status).toBe("finished");
    expect(b!.failure).toMatch(/got weights v beside w of one-b2-a-s0.*remove trials\/one-b2-b-s0/);
  });

  test("may be others at another seed or batch size, or not known", () => {
    const rows = [
      rowOf("a", 0, inputs("x")),
      rowOf("b", 1, inputs("y")),
      rowOf("b", 0),
      { ...rowOf("c", 0, inputs("z")), batchSize: 4 },
    ];
    expect(withSameInputs(rows)).toEqual(rows);
  });
});

const RESULT: NonNullable<TrialRow["result"]> = {
  psnrDb: { oneToOne: [20, 22], manyToOne: [21, 22] },
  ssim: { oneToOne: 0.5, manyToOne: 0.5 },
  floor: { name: "batch mean", psnrDb: 15 },
  labels: { granted: true, countAccuracy: 1 },
  evaluations: 30,
  iterations: 30,
  seconds: 1,
  curve: [],
};
