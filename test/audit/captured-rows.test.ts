import { expect, test } from "vitest";
import { conclusionOf } from "../../src/audit/captured/audit/conclusion.ts";
import type { AuditRow, AuditScores } from "../../src/audit/captured/audit/record.ts";
import { scoresOf } from "../../src/audit/captured/audit/scores.ts";
import { floorsFromOthers } from "../../src/audit/row-floors.ts";
import { columnSpans, encodeRow } from "../../src/data/index.ts";
import { rowSentences } from "../../src/report/row-verdict.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key } from "../../src/util/index.ts";

const COLUMNS = ["a", "b", "c", "d"].map((name) => ({
  ...{ name, kind: "categorical" as const, categories: ["u", "v", "w", "x", "y"] },
}));
type Row = readonly string[];
const encoded = (rows: readonly Row[]) =>
  float32(
    [rows.length, 1, 1, 20],
    rows.flatMap((row) => encodeRow(row, COLUMNS, "row")),
  );
const ALL_U = ["u", "u", "u", "u"];
/** Eight rows, each with the most frequent category but for one cell of every other. */
const SKEWED = Array.from({ length: 8 }, (_, i) => ALL_U.map((u, c) => (i === c * 2 ? "v" : u)));
/** Rows of which no cell is like another's. */
const MIXED = [..."uvwx"].map((one) => [one, one, one, one]);

const BEST = { name: "seed-0", labels: [] } as unknown as AuditRow;
function scored(truth: readonly Row[], found: readonly Row[]): AuditScores {
  const images = new Map([["seed-0", encoded(found)]]);
  const scores = scoresOf({ images: encoded(truth), labels: undefined, source: "t" }, images, BEST, {
    ...{ seed: 0, columns: COLUMNS },
  });
  return scores as AuditScores;
}
const conclusions = (scores: AuditScores) =>
  (["no-fit", "agree-and-fit", "exact"] as const).map((outcome) => conclusionOf({ outcome }, scores));

test("rows that are the most frequent values are no leak, however many decibels above flat grey", () => {
  const scores = scored(
    SKEWED,
    SKEWED.map(() => ALL_U),
  );
  expect(scores.table!.matchRate).toBe(28 / 32);
  expect(scores.table!.floors!.marginal).toBe(28 / 32); // of seven others at most two differ: u is theirs
  const [silent, agreeing, proven] = conclusions(scores);
  expect(silent).toEqual({ leaks: false, contradicted: false, images: { clear: 0, of: 8 } });
  expect(agreeing).toMatchObject({ leaks: false, contradicted: true });
  expect(proven).toMatchObject({ leaks: true, contradicted: true }); // another's rows were given
});

test("rows that nothing but the update could tell are a leak, each that was found", () => {
  const [silent, agreeing, proven] = conclusions(scored(MIXED, MIXED));
  expect(silent).toEqual({ leaks: true, contradicted: true, images: { clear: 4, of: 4 } });
  expect(agreeing).toMatchObject({ leaks: true, contradicted: false });
  expect(proven).toMatchObject({ leaks: true, contradicted: false });
});

test("no row is guessed from itself", () => {
  const { floors, guessedCells, beyondGuessing } = scored(MIXED, MIXED).table!;
  expect(floors).toEqual({ marginal: 0, drawn: 0 });
  expect(guessedCells).toEqual([0, 0, 0, 0]);
  expect(beyondGuessing).toBe(true);
  const pair = floorsFromOthers(encoded([ALL_U, ["u", "u", "u", "v"]]), columnSpans(COLUMNS), key(1));
  expect(pair.map(({ marginal, drawn }) => [marginal, drawn])).toEqual([
    [1, 1],
    [1, 1],
    [1, 1],
    [0, 0],
  ]);
});

test("one row has no floor: a proof, agreement or the whole row says it", () => {
  const whole = scored([["u", "v", "w", "x"]], [["u", "v", "w", "x"]]);
  expect(whole.table).toMatchObject({ floors: null, beyondGuessing: null, floorsFrom: "no floor: one row" });
  expect(rowSentences(whole.table!).join(" ")).toMatch(
    /100.% of the cells match.*no floor: one row .*1 of 1 row matches/,
  );
  expect(rowSentences(whole.table!).join(" ")).not.toMatch(/would match|Furthest/);
  const [silent, agreeing, proven] = conclusions(whole);
  expect(silent).toEqual({ leaks: true, contradicted: true, images: { clear: 1, of: 1 } });
  expect(agreeing).toEqual({ leaks: true, contradicted: false, images: null });
  expect(proven).toMatchObject({ leaks: true, contradicted: false });
  const part = scored([["u", "v", "w", "x"]], [["u", "v", "w", "y"]]);
  expect(conclusions(part).map(({ leaks }) => leaks)).toEqual([false, true, true]);
});
