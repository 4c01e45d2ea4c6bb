import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { advance } from "../../src/attacks/index.ts";
import { checkRecord, completeSpec, type RunRequest, type RunResults } from "../../src/audit/index.ts";
import { ledgerOf } from "../../src/audit/ledger.ts";
import { scoreRun } from "../../src/audit/results.ts";
import { compileAttack, prepareTrial } from "../../src/audit/trial.ts";
import { versions } from "../../src/audit/versions.ts";
import { people } from "../people.ts";
import { fakeRun } from "../report/fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "fedleak-table-"));
const path = join(folder, "people.csv");
const columns = join(folder, "columns.json");
beforeAll(() => {
  writeFileSync(path, people(80));
  writeFileSync(
    columns,
    JSON.stringify([
      { name: "hours", kind: "numeric", min: 0, max: 80 },
      { name: "insured", kind: "categorical" },
    ]),
  );
});

/** A run on the table: 64 hidden units a layer, so that it takes a second. */
async function attacked(request: RunRequest, data: RunRequest["data"] = {}) {
  const spec = completeSpec({
    threads: 1,
    ...request,
    model: { options: { hidden: 64 }, ...request.model },
    data: { name: "table", path, target: "income", ...data },
  });
  const trial = await prepareTrial(spec);
  const attack = await compileAttack(trial);
  try {
    const { state } = (await advance(attack, attack.initial, 1e6))!;
    const images = await attack.reconstruct(state);
    const reconstruction = { images, labels: attack.inferredLabels(state), state, seconds: 1 };
    const results: RunResults = await scoreRun(trial, reconstruction);
    return { trial, results, table: results.table!, ledger: ledgerOf(trial, attack, versions()) };
  } finally {
    await attack.release();
  }
}

describe("a client whose data are a table", () => {
  test("its one row is given away exactly by the first layer, every column", async () => {
    const { table, results } = await attacked({ attack: { name: "linear-leak" }, client: { batchSize: 1 } });
    expect(table).toMatchObject({ matchRate: 1, wholeRows: 1, beyondGuessing: true });
    expect(table.rows[0]!.rebuilt).toEqual(table.rows[0]!.truth);
    expect(results.psnrDb.oneToOne).toBeGreaterThan(90);
    expect(table.floorsFrom).toBe("the 79 rows outside the batch");
    expect(Math.max(table.floors.marginal, table.floors.drawn)).toBeLessThan(0.8);
  });

  test("a search finds it within a small budget; its record is sound", async () => {
    const { table, results } = await attacked({ attack: { settings: { iterations: 200 } }, client: { batchSize: 1 } });
    expect(table.matchRate).toBe(1);
    const { record } = await fakeRun();
    expect(checkRecord({ ...record, results }, "r").results!.table).toEqual(table);
    const wrong = { ...table, matchRate: 0.5 };
    expect(() => checkRecord({ ...record, results: { ...results, table: wrong } }, "r")).toThrow(
      /must be those of the cells/,
    );
  });

  test("of several rows more is found than guesses find", async () => {
    const { table } = await attacked({ attack: { settings: { iterations: 300 } }, client: { batchSize: 4 } });
    expect(table.beyondGuessing).toBe(true);
    expect(table.rows.map(({ trueIndex }) => trueIndex)).toEqual([0, 1, 2, 3]);
    expect(new Set(table.rows.map(({ reconstructionIndex }) => reconstructionIndex)).size).toBe(4);
  });

  test("noise of strength 1 leaves what guessing finds: the control", async () => {
    const found: RunResults["table"][] = [];
    for (const seed of [0, 1, 2]) {
      const defences = [{ name: "gaussian-dp", settings: { sigma: 1 } }];
      const client = { batchSize: 4, defences };
      found.push((await attacked({ seed, attack: { settings: { iterations: 60 } }, client })).table);
    }
    expect(found.map((table) => table!.beyondGuessing)).toEqual([false, false, false]);
    const excess = found.map((table) => table!.matchRate - Math.max(table!.floors.marginal, table!.floors.drawn));
    // 32 cells a run: the standard error of a mean of three is 0.05
    expect(excess.reduce((a, b) => a + b, 0) / 3).toBeLessThan(0.15);
  });

  test("its columns are taken for known, and what is about pictures is off: the ledger says so", async () => {
    const declared = await attacked({ client: { batchSize: 1 }, attack: { settings: { iterations: 2 } } }, { columns });
    expect(declared.trial.model.inputShape).toEqual([1, 1, 3]);
    const entries = new Map(declared.ledger.map((entry) => [entry.assumption, entry]));
    expect(entries.get("columns")).toMatchObject({
      value: "hours (0 to 80), insured (2 categories)",
      origin: "measured",
    });
    expect(entries.get("columns")!.note).toMatch(/known to the server.*1 of them as declared.*not fed.*age, gain/);
    expect(entries.get("tv")).toMatchObject({ value: "0", origin: "our-choice" });
    expect(entries.get("batch")!.value).toMatch(/^rows /);
  });
});

describe("what a table asks for", () => {
  test("no control by another batch's update, which no cell is held against", () => {
    const data = { name: "table", path, target: "income" } as const;
    expect(() => completeSpec({ data, measure: { mismatchedFloor: true } })).toThrow(
      /spec measure\.mismatchedFloor: .*against guesses.*Leave --mismatched-floor away/,
    );
    expect(completeSpec({ data: {}, measure: { mismatchedFloor: true } }).measure.mismatchedFloor).toBe(true);
  });

  test("mlp3 and a search for columns, unless told otherwise", () => {
    const spec = completeSpec({ data: { name: "table", path, target: "income" } });
    expect([spec.model.name, spec.attack.name]).toEqual(["mlp3", "inverting-gradients"]);
    expect(completeSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
    expect(completeSpec({ data: { name: "table", path, target: "y" }, attack: { name: "dlg" } }).attack.name).toBe(
      "dlg",
    );
  });

  test.each<[RunRequest["data"], RegExp]>([
    [{ name: "table", path: "x" }, /a table needs the column that holds the classes; got no target/],
    [{ target: "y" }, /only a table has a target and columns; got "y" for embedded/],
    [{ columns: "c.json" }, /spec data\.columns: only a table has a target and columns; got columns for embedded/],
    [{ name: "table", target: "y" }, /table needs a path/],
    [{ name: "table", path: "x", target: "y", size: 8 }, /can be scaled; got 8 for table/],
  ])("%j", (data, words) => {
    expect(() => completeSpec({ data } as RunRequest)).toThrow(words);
  });

  test("a generator is refused before anything is computed for long", async () => {
    await expect(attacked({ attack: { name: "fedleak-release" } })).rejects.toThrow(/no generator, decoder/);
  });

  test.each([
    ["no JSON", "{", /columns .*: it must be JSON/],
    ["no list", "{}", /it must be a list of columns/],
    [
      "another kind",
      '[{"name":"age","kind":"number"}]',
      /columns .* 0\.kind: kind must be one of numeric, categorical; got "number"/,
    ],
    ["a range of names", '[{"name":"insured","kind":"categorical","min":0}]', /column "insured": .*got min or max too/],
    ["a slip", '[{"name":"age","kind":"numeric","mim":0}]', /got "mim"\. Did you mean "min"\?/],
  ])("columns: %s", async (_, text, words) => {
    const file = join(folder, "wrong.json");
    writeFileSync(file, text);
    await expect(attacked({}, { columns: file })).rejects.toThrow(words);
  });
});
