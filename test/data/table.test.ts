import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Column,
  columnSpans,
  columnsWidth,
  decodeRow,
  encodeRow,
  parseTable,
  type TableOptions,
} from "../../src/data/index.ts";
import { FedleakError } from "../../src/util/index.ts";
import { PEOPLE_HEADER, people } from "../people.ts";

const COLUMNS: readonly Column[] = [
  { name: "age", kind: "numeric", min: 20, max: 70 },
  { name: "job", kind: "categorical", categories: ["craft", "office", "sales"] },
  { name: "debt", kind: "numeric", min: -1000, max: 0 },
  { name: "car", kind: "categorical", categories: ["no", "yes"] },
];
const parse = (text: string, options: TableOptions = { target: "y" }) =>
  parseTable({ bytes: new TextEncoder().encode(text), name: "t.csv" }, options);

describe("rows as numbers", () => {
  test("a row by hand: a number by its range, a category as the one of its span", () => {
    expect(encodeRow(["45", "office", "-250", "yes"], COLUMNS, "row")).toEqual([0.5, 0, 1, 0, 0.75, 0, 1]);
    expect(columnsWidth(COLUMNS)).toBe(7);
    expect(columnSpans(COLUMNS).map(({ from, width }) => [from, width])).toEqual([
      [0, 1],
      [1, 3],
      [4, 1],
      [5, 2],
    ]);
  });

  test("encode and decode undo each other, also after float32", () => {
    const cells = fc.tuple(
      fc.double({ min: 20, max: 70, noNaN: true }),
      fc.constantFrom("craft", "office", "sales"),
      fc.integer({ min: -1000, max: 0 }),
      fc.constantFrom("no", "yes"),
    );
    fc.assert(
      fc.property(cells, (row) => {
        const [age, job, debt, car] = decodeRow(Float32Array.from(encodeRow(row.map(String), COLUMNS, "r")), COLUMNS);
        expect([job, car]).toEqual([row[1], row[3]]);
        expect(Math.abs(Number(age) - row[0])).toBeLessThan(50 * 2 ** -23); // a float32's step, times the range
        expect(Math.abs(Number(debt) - row[2])).toBeLessThan(1000 * 2 ** -23);
      }),
    );
  });

  test("soft categories are read as the largest, the first of equals", () => {
    expect(decodeRow([0, 0.2, 0.5, 0.3, 1, 0.5, 0.5], COLUMNS)).toEqual([20, "office", 0, "no"]);
  });
});

describe("a table", () => {
  test("becomes images [M,1,1,D] in [0,1], with classes in order", () => {
    const { images, labels, classNames, table } = parse(
      'age,job,y\n30,"sales, retail",10\n50,office,9\n40,office,10\n\n',
    );
    expect(images.shape).toEqual([3, 1, 1, 3]);
    expect([...images.data]).toEqual([0, 0, 1, 1, 1, 0, 0.5, 1, 0]); // age by its own range; office before sales
    expect(classNames).toEqual(["9", "10"]); // by size, not by characters
    expect(labels).toEqual([1, 0, 1]);
    expect(table).toEqual({
      columns: [
        { name: "age", kind: "numeric", min: 30, max: 50 },
        { name: "job", kind: "categorical", categories: ["office", "sales, retail"] },
      ],
      declared: 0,
      unused: [],
    });
  });

  test("declared columns are taken in their order, others are left out and named", () => {
    const { images, table } = parse("id;age;job;y\nx1;30;office;a\nx2;50;sales;b\n", {
      target: "y",
      columns: [
        { name: "job", kind: "categorical" },
        { name: "age", kind: "numeric", min: 0, max: 100 },
      ],
    });
    expect([...images.data].map((v) => Math.fround(v))).toEqual([1, 0, 0.3, 0, 1, 0.5].map(Math.fround));
    expect(table!.declared).toBe(1);
    expect(table!.unused).toEqual(["id"]);
  });

  test("numbers that are written as codes are categories where they are declared so", () => {
    const columns = [{ name: "code", kind: "categorical", categories: ["1", "2", "5"] }] as const;
    expect([...parse("code,y\n5,a\n1,b\n", { target: "y", columns }).images.data]).toEqual([0, 0, 1, 1, 0, 0]);
  });

  test("declared categories may be any text, and are read without the spaces around them, as cells are", () => {
    const columns = [{ name: "job", kind: "categorical", categories: [" office", "NA ", "1,5"] }] as const;
    const { images, table } = parse('job,y\n NA,a\noffice ,b\n"1,5",b\n', { target: "y", columns });
    expect([...images.data]).toEqual([0, 1, 0, 1, 0, 0, 0, 0, 1]);
    expect(table!.columns).toEqual([{ name: "job", kind: "categorical", categories: ["office", "NA", "1,5"] }]);
  });

  test("of one column has no separator, and may end with empty lines", () => {
    expect([...parse("age\n30\n50\n40\n\n\n", { target: null }).images.data]).toEqual([0, 1, 0.5]);
  });

  test("of made-up people has the columns that they were made with", () => {
    const { images, table, labels } = parse(people(60), { target: "income" });
    expect(table!.columns.map(({ name }) => name)).toEqual(PEOPLE_HEADER.slice(0, -1));
    expect(images.shape).toEqual([60, 1, 1, 27]);
    expect(new Set(labels)).toEqual(new Set([0, 1]));
    expect(images.data.every((v) => v >= 0 && v <= 1)).toBe(true);
  });
});

describe("errors name the row and the column", () => {
  const numeric = [{ name: "age", kind: "numeric", min: 0, max: 90 }] as const;
  const job = [{ name: "job", kind: "categorical", categories: ["office", "sales"] }] as const;
  test.each<[string, string, TableOptions, RegExp]>([
    ["missing", "age,y\n30,a\n,b\n31,b\n", { target: "y" }, /t\.csv, row 2, column "age": .*number; got an empty cell/],
    ["a text", "age,y\n30,a\n31,a\nold,b\n", { target: "y" }, /row 3, column "age": .*number; got "old"/],
    ["hexadecimal", "age,y\n0x1f,a\n2,b\n3,b\n", { target: "y" }, /row 1, column "age": .*got "0x1f"/],
    ["a comma", 'age,y\n"3,5",a\n4,b\n5,b\n', { target: "y" }, /row 1, column "age": .*got "3,5"/],
    ["too large", "age,y\n30,a\n91,b\n", { target: "y", columns: numeric }, /row 2, .*range, 0 to 90; got 91/],
    ["unknown", "job,y\noffice,a\nsails,b\n", { target: "y", columns: job }, /row 2, column "job": .*got "sails"/],
    ["no category", "job,y\noffice,a\n,b\n", { target: "y", columns: job }, /row 2, column "job": .*empty cell/],
    ["ragged", "age,y\n30,a\n31\n", { target: "y" }, /row 2: it must have 2 cells, as the header has; got 1/],
    ["no target", "age,y\n30,a\n31,\n", { target: "y" }, /row 2, column "y": the target must name a class/],
    ["another target", "age,y\n30,a\n", { target: "Y" }, /target column must be one of age, y; got "Y"\. .*"y"\?/],
    ["twice", "age,age,y\n1,2,a\n", { target: "y" }, /first line must name each column once/],
    ["no rows", "age,y\n", { target: "y" }, /at least one row must follow; got no row/],
    ["one value", "age,y\n3,a\n3,b\n", { target: "y" }, /column "age": its range .*; got 3 to 3/],
    ["far apart", "age,y\n-1e308,a\n1e308,b\n", { target: "y" }, /column "age": its range .*finite.*; got -1e\+308 to/],
    ["decimal commas", "a;b;y\n1,5;2,7;0\n2,5;1,1;1\n", { target: "y" }, /column "a": .*point; got "1,5".*categorical/],
    ["thousands", 'a,y\n"1,500,000",0\n"2,000",1\n3,1\n', { target: "y" }, /column "a": .*got "1,500,000"/],
    [
      "NA",
      "job,y\noffice,a\nNA,b\nsales,b\n",
      { target: "y" },
      /row 2, column "job": .*office, sales; got "NA".*not guessed/,
    ],
    ["nan", "age,y\n30,a\nnan,b\n31,b\n", { target: "y" }, /row 2, column "age": .*number; got "nan".*not guessed/],
    ["an empty line of one column", "age\n30\n\n31\n\n", { target: null }, /row 2, column "age": .*an empty cell/],
    ["open quote", 'age,y\n"3,a\n4,b\n', { target: "y" }, /must be CSV, with quotes closed/],
    ["target among them", "age,y\n3,a\n4,b\n", { target: "age", columns: numeric }, /the target is no input/],
    ["not there", "ages,y\n3,a\n4,b\n", { target: "y", columns: numeric }, /declared column .*Did you mean "ages"\?/],
  ])("%s", (_, text, options, words) => {
    expect(() => parse(text, options)).toThrow(FedleakError);
    expect(() => parse(text, options)).toThrow(words);
  });

  test("names and texts are no columns: too many categories", () => {
    const rows = Array.from({ length: 101 }, (_, i) => `name${i},${i % 2}`);
    expect(() => parse(`who,y\n${rows.join("\n")}`)).toThrow(/column "who": .* up to 100 categories; got 101/);
  });

  test("bytes that are no text", () => {
    const bytes = Uint8Array.of(0x61, 0x2c, 0x79, 0x0a, 0xff, 0x2c, 0x31);
    expect(() => parseTable({ bytes, name: "t.csv" }, { target: "y" })).toThrow(/must be text in UTF-8/);
  });
});

test("whatever the text, rows in [0,1] or a clear refusal", () => {
  const cell = fc.oneof(fc.constantFrom("1", "2.5", "a", "b", "", '"', ";", "\n", " "), fc.string({ maxLength: 4 }));
  const texts = fc.array(
    fc.array(cell, { maxLength: 4 }).map((cells) => cells.join(",")),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(texts, (lines) => {
      try {
        const { images, labels } = parse(`x,y\n${lines.join("\n")}`);
        expect(images.shape[0]).toBe(labels.length);
        expect(images.data.every((v) => v >= 0 && v <= 1)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(FedleakError);
      }
    }),
    { numRuns: 500 },
  );
});
