import { describe, expect, test } from "vitest";
import { pairOneToOne, type RowColumn, scoreRows } from "../../src/metrics/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key, uniform } from "../../src/util/index.ts";

const COLUMNS: readonly RowColumn[] = [
  { name: "size", kind: "numeric", from: 0, width: 1 },
  { name: "kind", kind: "categorical", from: 1, width: 3 },
];
const rows = (...values: readonly (readonly number[])[]) =>
  float32([values.length, 1, 1, values[0]!.length], values.flat());
const score = (
  truth: ReturnType<typeof rows>,
  rebuilt: ReturnType<typeof rows>,
  known: ReturnType<typeof rows>,
  pairing: readonly number[],
) => scoreRows(truth, rebuilt, { columns: COLUMNS, pairing, known, draws: key(3) });

const TRUTH = rows([0.5, 0, 1, 0], [0.2, 1, 0, 0]);
const KNOWN = rows([0.48, 0, 1, 0], [0.5, 0, 1, 0], [0.9, 0, 0, 1]); // median 0.5, most frequent the second kind

describe("by hand", () => {
  test("a number matches within a twentieth of its range, a category by its largest number", () => {
    const found = score(TRUTH, rows([0.251, 0.5, 0.1, 0.4], [0.55, 0.3, 0.4, 0.3]), KNOWN, [1, 0]);
    expect(found.hits).toEqual([
      [true, true], // 0.05 away: on the limit
      [false, true], // 0.051 away
    ]);
    expect(found.matchRate).toBe(0.75);
    expect(found.wholeRows).toBe(0.5);
    expect(found.columns.map(({ matchRate }) => matchRate)).toEqual([0.5, 1]);
  });

  test("the first floor is the median and the most frequent category", () => {
    const { floors, columns } = score(TRUTH, TRUTH, KNOWN, [0, 1]);
    expect(columns.map((column) => column.floors.marginal)).toEqual([0.5, 0.5]); // both right for row 0, wrong for row 1
    expect(floors.marginal).toBe(0.5);
    const one = rows([0.5, 0, 1, 0]);
    expect(score(one, one, KNOWN, [0]).floors.marginal).toBe(1);
  });

  test("the second draws each cell by itself: its mean is what chance gives", () => {
    const one = rows([0.5, 0, 1, 0]);
    const { columns } = score(one, one, KNOWN, [0]);
    // two of three known rows match in either column; the mean of 100 draws has a standard error of 0.047
    for (const { floors } of columns) expect(Math.abs(floors.drawn - 2 / 3)).toBeLessThan(0.15);
    expect(columns[0]!.floors.drawn).not.toBe(columns[1]!.floors.drawn); // drawn apart
  });

  test("one known row leaves nothing to draw: both guesses are that row", () => {
    const { floors } = score(TRUTH, TRUTH, rows([0.21, 0, 1, 0]), [0, 1]);
    expect(floors).toEqual({ marginal: 0.5, drawn: 0.5 });
  });
});

test("a perfect batch is beyond guessing, and one row has no bootstrap", () => {
  const many = rows(...Array.from({ length: 6 }, (_, i) => [i / 6, ...[0, 1, 2].map((k) => Number(i % 3 === k))]));
  const whole = score(many, many, many, [0, 1, 2, 3, 4, 5]);
  expect(whole).toMatchObject({ matchRate: 1, wholeRows: 1, beyondGuessing: true, interval95: [1, 1] });
  expect(whole.columns[0]!.interval95[0]).toBeGreaterThan(0.6); // Wilson's of 6 of 6
  expect(whole.columns[0]!.interval95[0]).toBeLessThan(0.7);
  expect(score(rows([0.5, 1, 0, 0]), rows([0.5, 1, 0, 0]), KNOWN, [0]).interval95).toBeNull();
});

test("rows that know the columns and nothing else are not beyond guessing, however they are paired", () => {
  const drawn = (seed: number, count: number) => {
    const draws = uniform(key(seed), 2 * count);
    const row = (i: number) => [
      draws[2 * i]!,
      ...[0, 1, 2].map((k) => Number(Math.floor(draws[2 * i + 1]! * 3) === k)),
    ];
    return rows(...Array.from({ length: count }, (_, i) => row(i)));
  };
  const [truth, known] = [drawn(1, 16), drawn(2, 200)];
  const results = [3, 4, 5, 6, 7, 8, 9, 10].map((seed) => {
    const guess = drawn(seed, 16);
    return score(truth, guess, known, pairOneToOne(truth, guess));
  });
  expect(results.filter(({ beyondGuessing }) => beyondGuessing).length).toBeLessThanOrEqual(1); // 5 % of 8 by its interval
  // Paired rows match more often than rows in any order: the floor without pairing would be beaten by luck.
  expect(results[0]!.floors.drawn).toBeGreaterThan(results[0]!.floors.marginal);
});

test("the same key gives the same score, another one other draws", () => {
  expect(score(TRUTH, TRUTH, KNOWN, [0, 1])).toEqual(score(TRUTH, TRUTH, KNOWN, [0, 1]));
});

test("rows outside [0,1] are refused", () => {
  expect(() => score(TRUTH, rows([1.2, 1, 0, 0], [0, 1, 0, 0]), KNOWN, [0, 1])).toThrow(/rows \(rebuilt\).*\[0,1\]/);
});
