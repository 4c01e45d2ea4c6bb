import { describe, expect, it } from "vitest";
import { LABEL_RULES } from "../../src/attacks/index.ts";
import { completeSpec, type LabelRow, type RunRequest, studyLabels } from "../../src/audit/index.ts";
import { labelFloors } from "../../src/audit/labels-table.ts";
import { key } from "../../src/util/index.ts";
import { requireShared } from "../shared.ts";

const SMALL: RunRequest = { model: { name: "lenet-sigmoid" }, data: { size: 8, draw: "uniform" }, threads: 1 };
const study = (request: RunRequest, options: Partial<Parameters<typeof studyLabels>[1]> = {}) =>
  studyLabels(completeSpec(request), { batches: [3], trials: 4, rules: LABEL_RULES, ...options });
const line = (rows: readonly LabelRow[], batchSize: number, name: string) =>
  rows.find((row) => row.batchSize === batchSize && row.name === name)!;

describe("studyLabels", () => {
  it("has a row for each rule and floor at each size, the same for the same seed", { timeout: 20_000 }, async () => {
    const counted: number[] = [];
    const options = { batches: [1, 3], onTrial: (done: number) => counted.push(done) };
    const first = await study(SMALL, options);
    const names = [...LABEL_RULES, "uniform-guess", "most-frequent", "evenly"];
    expect(first.rows.map(({ batchSize, name }) => `${batchSize} ${name}`)).toEqual(
      [1, 3].flatMap((size) => names.map((name) => `${size} ${name}`)),
    );
    expect(counted).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await study(SMALL, { batches: [1, 3] })).toEqual(first);
    expect((await study({ ...SMALL, seed: 1 }, { batches: [1, 3] })).rows).not.toEqual(first.rows);
    expect(line(first.rows, 1, "idlg")).toMatchObject({ countAccuracy: 1, exact: 1, trials: 4 });
    expect(line(first.rows, 3, "auto")).toMatchObject({ countAccuracy: 1, chose: { counts: 4 } });
  });

  it("stops when told, with what is done", async () => {
    const controller = new AbortController();
    const { status, rows } = await study(SMALL, {
      batches: [1, 3],
      rules: ["paper"],
      onTrial: () => controller.abort(),
      signal: controller.signal,
    });
    expect(status).toBe("interrupted");
    expect(rows.map(({ batchSize, trials }) => [batchSize, trials])).toEqual([[1, 1], [1, 1], [1, 1], [1, 1]]); // biome-ignore format: pairs
  });

  it("refuses granted labels and batches larger than the data", async () => {
    await expect(study({ ...SMALL, client: { grants: ["labels"] } })).rejects.toThrow("must not be granted");
    await expect(study(SMALL, { batches: [2, 5000] })).rejects.toThrow(/at most the \d+ images/);
  });

  it("finds each of 100 single CIFAR-10 labels by iDLG's rule", { timeout: 20_000 }, async (context) => {
    const path = requireShared(context, "data/cifar10/test.bin.gz");
    const { rows } = await study(
      { ...SMALL, data: { name: "cifar10", path, draw: "uniform" } },
      { batches: [1], trials: 100, rules: ["idlg"] },
    );
    expect(line(rows, 1, "idlg")).toMatchObject({ trials: 100, countAccuracy: 1, exact: 1 });
    expect(line(rows, 1, "uniform-guess").countAccuracy).toBeLessThan(0.2); // 0.1 ± 0.03
  });
});

describe("floors", () => {
  it("are guesses of B labels that know only the classes, and one that knows how frequent they are", () => {
    const [drawn, frequent, even] = labelFloors({ batchSize: 5, classes: 3, population: [0, 2, 2, 1], key: key(1) });
    expect(drawn!.guesses.flat().every((label) => label >= 0 && label < 3)).toBe(true);
    expect(new Set(drawn!.guesses.flat()).size).toBe(3);
    expect(frequent!.guesses).toEqual([[2, 2, 2, 2, 2]]);
    expect(even!.guesses).toEqual([[0, 1, 2, 0, 1]]);
  });
});
