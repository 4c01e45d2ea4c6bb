import { describe, expect, test } from "vitest";
import {
  ATTACKS,
  advance,
  completeSettings,
  findAttack,
  settingsForColumns,
  settingsLedgerForColumns,
} from "../../src/attacks/index.ts";
import { columnsOf, hardRows } from "../../src/attacks/parameterisation/columns.ts";
import { type Column, encodeRow } from "../../src/data/index.ts";
import { grad, input, mul, sum } from "../../src/graph/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key } from "../../src/util/index.ts";
import { attackOn, type Case, differing, mlpCase, mse, observed, scrambled } from "./tiny.ts";

const COLUMNS: readonly Column[] = [
  { name: "age", kind: "numeric", min: 0, max: 100 },
  { name: "job", kind: "categorical", categories: ["craft", "office", "sales"] },
  { name: "debt", kind: "numeric", min: -10, max: 10 },
  { name: "car", kind: "categorical", categories: ["no", "yes"] },
];
const ROWS = [
  ["34", "office", "-2.5", "yes"],
  ["71", "craft", "8", "no"],
  ["52", "sales", "0", "no"],
];
const encoded = (count: number) =>
  float32(
    [count, 1, 1, 7],
    ROWS.slice(0, count).flatMap((row) => encodeRow(row, COLUMNS, "row")),
  );

function tableCase(count: number, options: Readonly<Record<string, unknown>> = {}): Case {
  const model = buildModel("mlp3", {
    inputShape: [1, 1, 7],
    classes: 3,
    hidden: 24,
    activation: "sigmoid",
    ...options,
  });
  const labels = Array.from({ length: count }, (_, i) => i);
  return { model, weights: initialise(model, key(11)), images: encoded(count), labels, mode: "eval" };
}

describe("candidates as columns", () => {
  const made = columnsOf([2, 1, 1, 7], COLUMNS);

  test("any values are rows: numbers in (0,1), categories that sum to 1", () => {
    const { rows } = made.initial(key(4)) as { rows: ReturnType<typeof float32> };
    expect(rows.shape).toEqual([2, 7]);
    const decoded = made.decode({ rows: input("rows", [2, 7]) }).images;
    const images = evaluate({ images: decoded }, { rows }).images!;
    expect(images.shape).toEqual([2, 1, 1, 7]);
    for (const start of [0, 7]) {
      const row = Array.from(images.data).slice(start, start + 7);
      expect(row.every((v) => v > 0 && v < 1)).toBe(true);
      expect(row[1]! + row[2]! + row[3]!).toBeCloseTo(1, 6);
      expect(row[5]! + row[6]!).toBeCloseTo(1, 6);
      expect(row[0]).toBeCloseTo(1 / (1 + Math.exp(-rows.data[start]!)), 6);
    }
  });

  test("a column depends on its own values alone", () => {
    const rows = input("rows", [2, 7]);
    const { images } = made.decode({ rows });
    const weight = float32([2, 1, 1, 7], [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const chosen = input("weight", [2, 1, 1, 7]);
    const [slope] = grad(sum(mul(images, chosen)), [rows]);
    const found = evaluate({ slope: slope! }, { ...made.initial(key(4)), weight }).slope!.data;
    expect(Array.from(found, (v) => Math.abs(Number(v)) > 1e-9)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13].map((i) => i >= 1 && i <= 3),
    );
  });

  test("what is handed over has its categories decided, its numbers kept", () => {
    const soft = float32([1, 1, 1, 7], [0.3, 0.2, 0.2, 0.6, 0.9, 0.5, 0.5]);
    expect([...hardRows(soft, COLUMNS).data]).toEqual([0.3, 0, 0, 1, 0.9, 1, 0].map(Math.fround));
    expect(soft.data[3]).toBe(Math.fround(0.6)); // not mutated
  });
});

describe("attacks on rows", () => {
  test("linear-leak gives one row exactly", async () => {
    const of = tableCase(1, { activation: "relu" });
    const run = await attackOn(of, "linear-leak", {}, { columns: COLUMNS, observation: await observed(of) });
    const { state } = await run.step(run.initial);
    expect(mse(await run.reconstruct(state), of.images)).toBeLessThan(1e-12); // float32's rounding, squared
    await run.release();
  });

  test.each([
    ["bayes", "relu", {}],
    ["dlg", "sigmoid", {}],
    ["fedleak", "sigmoid", { learningRate: 0.1 }],
  ])("%s finds one row within a small budget", async (name, activation, more) => {
    const of = tableCase(1, { activation });
    const run = await attackOn(of, name, { iterations: 250, ...more }, { columns: COLUMNS });
    const end = await advance(run, run.initial, 250);
    const rows = await run.reconstruct(end!.state);
    expect([...rows.data.slice(1, 4), ...rows.data.slice(5)]).toEqual([0, 1, 0, 0, 1]);
    expect(Math.abs(rows.data[0]! - 0.34)).toBeLessThan(0.05);
    expect(Math.abs(rows.data[4]! - 0.375)).toBeLessThan(0.05);
    await run.release();
  });

  test("noise in place of the update shows nothing: the control", async () => {
    const of = tableCase(1);
    const found: number[] = [];
    for (const seed of [5, 6, 7]) {
      const observation = scrambled(await observed(of), seed);
      const run = await attackOn(of, "inverting-gradients", { iterations: 60 }, { columns: COLUMNS, observation });
      const end = await advance(run, run.initial, 60);
      found.push(mse(await run.reconstruct(end!.state), of.images));
      await run.release();
    }
    expect(Math.max(...found)).toBeGreaterThan(0.05); // one wrong category of two is 2/7
  });

  test("the same key gives the same rows, and a stored state goes on", async () => {
    const of = tableCase(2);
    const run = await attackOn(of, "inverting-gradients", { iterations: 6 }, { columns: COLUMNS });
    const whole = await advance(run, run.initial, 6);
    const half = await advance(run, run.initial, 3);
    expect(differing((await advance(run, half!.state, 6))!.state.tensors, whole!.state.tensors)).toEqual([]);
    expect(run.fits(half!.state)).toBe(true);
    await run.release();
  });
});

describe("what is about pictures", () => {
  const settings = (name: string) => completeSettings(findAttack(name));

  test("is switched off, and the ledger says so; the user's own settings stay", () => {
    const preset = findAttack("inverting-gradients");
    const asked = completeSettings(preset, { learningRate: 0.3 });
    expect(settingsForColumns(preset.name, asked)).toEqual({ ...asked, parameterisation: "columns", tv: 0 });
    const rows = new Map(settingsLedgerForColumns(preset, asked).map((row) => [row.name, row]));
    expect(rows.get("tv")).toMatchObject({
      value: 0,
      origin: "our-choice",
      note: expect.stringMatching(/^0\.0001 for/),
    });
    expect(rows.get("parameterisation")).toMatchObject({ value: "columns", origin: "our-choice" });
    expect(rows.get("learningRate")).toMatchObject({ value: 0.3, origin: "user" });
    expect(rows.has("clamp")).toBe(false); // columns have bounds of their own
  });

  test.each(["fedleak-release", "fedleak-plus", "ci-net", "ggl", "rog"])("%s makes pictures and is refused", (name) => {
    expect(() => settingsForColumns(name, settings(name))).toThrow(/candidates for a table's rows are columns/);
  });

  test("every other attack is taken", () => {
    const refused = Object.keys(ATTACKS).filter((name) => {
      try {
        return settingsForColumns(name, settings(name)) === undefined;
      } catch {
        return true;
      }
    });
    expect(refused.sort()).toEqual(["ci-net", "fedleak-plus", "fedleak-release", "ggl", "rog"]);
  });

  test("columns that do not fit the model, and columns for images, are refused", async () => {
    await expect(attackOn(tableCase(1), "dlg", {}, { columns: COLUMNS.slice(1) })).rejects.toThrow(
      /input must be \[1,1,6\], the numbers that the 3 columns make; got \[1,1,7\]/,
    );
    await expect(attackOn(mlpCase([1]), "dlg", { parameterisation: "columns" })).rejects.toThrow(
      /data must be a table, whose columns are declared; got images/,
    );
  });
});
