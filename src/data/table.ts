import Papa from "papaparse";
import { float32 } from "../tensor/index.ts";
import { fail, unknownName } from "../util/index.ts";
import { columnsWidth, encodeRow } from "./columns.ts";
import { type Cells, completeColumns, type DeclaredColumn, inOrder, isDeclaredInFull } from "./complete-columns.ts";
import type { NamedBytes } from "./idx.ts";
import type { LabelledImages } from "./types.ts";

export interface TableOptions {
  /** The column that holds the classes; null: there is none, and all rows are of one class without a name. */
  readonly target: string | null;
  /** What the model is fed with, in this order; absent: all other columns, as the table shows them. */
  readonly columns?: readonly DeclaredColumn[] | undefined;
}

/**
 * A table in CSV: each row becomes an "image" of one channel and one row of pixels, its columns written as numbers in [0,1].
 *
 * result: images [M,1,1,D], D the numbers that the columns become; classes are the target's values in order; `table` tells how
 * the numbers are read. The first line names the columns; the separator (comma, semicolon, tab, bar) is found. Rows count from
 * 1 below the header in errors; empty lines are skipped, but between the rows of a single column, where they are missing cells.
 *
 * @throws FedleakError, with row and column, at bytes that are not UTF-8, a quote that is not closed, a row of another length, a missing
 * value, a text where a number must be, a number outside its range, an unknown category.
 * Source: RFC 4180 by npm papaparse. That a table takes the place of images is our choice: everything that is about
 * gradients is the same for both.
 */
export function parseTable({ bytes, name }: NamedBytes, { target, columns: declared }: TableOptions): LabelledImages {
  const table = cellsOf(bytes, name);
  const { header, rows, who } = table;
  if (target !== null && !header.includes(target)) unknownName(who, "the target column", target, header);
  const columns = completeColumns(table, target, declared);
  const places = columns.map((column) => header.indexOf(column.name));
  const width = columnsWidth(columns);
  const data = new Float32Array(rows.length * width);
  for (const [r, row] of rows.entries()) {
    const cells = places.map((place) => row[place]!);
    data.set(encodeRow(cells, columns, `${who}, row ${r + 1}`), r * width);
  }
  const { labels, classNames } = classesOf(table, target);
  const unused = header.filter((column) => column !== target && !columns.some((used) => used.name === column));
  const inFull = (declared ?? []).filter(isDeclaredInFull).length;
  return {
    images: float32([rows.length, 1, 1, width], data),
    labels,
    classNames,
    source: name,
    table: { columns, declared: inFull, unused },
  };
}

function cellsOf(bytes: Uint8Array, name: string): Cells {
  const who = `table ${name}`;
  const { data: lines, errors } = Papa.parse<string[]>(textOf(bytes, who));
  const [broken] = errors.filter(({ type }) => type !== "Delimiter"); // a table of one column has none
  if (broken) {
    fail({
      who,
      must: "it must be CSV, with quotes closed and doubled inside quotes",
      got: `"${broken.message}"${broken.row === undefined ? "" : ` in row ${broken.row}`}`,
      remedy: "Mend the quotes, or write the table anew.",
    });
  }
  const [first = [], ...rows] = withoutEmpty(lines);
  const header = first.map((cell) => cell.trim());
  if (rows.length === 0 || header.includes("") || new Set(header).size < header.length) {
    fail({
      who,
      must: "its first line must name each column once, and at least one row must follow",
      got: rows.length === 0 ? "no row" : header.map((cell) => `"${cell}"`).join(", "),
      remedy: "Add the header, or mend it.",
    });
  }
  const ragged = rows.findIndex((row) => row.length !== header.length);
  if (ragged >= 0) {
    fail({
      who: `${who}, row ${ragged + 1}`,
      must: `it must have ${header.length} cells, as the header has`,
      got: `${rows[ragged]!.length}`,
      remedy: "Quote cells that hold the separator, and fill missing ones.",
    });
  }
  return { who, header, rows };
}

/** The lines that hold a row: an empty one is a missing cell in a table of one column, unless it ends the file. */
function withoutEmpty(lines: readonly string[][]): readonly string[][] {
  const empty = (line: readonly string[]) => line.length === 1 && line[0] === "";
  const from = lines.findIndex((line) => !empty(line));
  const to = lines.findLastIndex((line) => !empty(line));
  const held = lines.slice(Math.max(from, 0), to + 1);
  return held[0]?.length === 1 ? held : held.filter((line) => !empty(line));
}

function textOf(bytes: Uint8Array, who: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    return fail({
      who,
      must: "it must be text in UTF-8",
      got: "other bytes",
      remedy: "Save it as CSV in UTF-8.",
      cause,
    });
  }
}

const MOST_CLASSES = 1000; // our choice: with more, the target is a quantity and no class

function classesOf({ who, header, rows }: Cells, target: string | null) {
  if (target === null) return { labels: rows.map(() => 0), classNames: ["unknown"] };
  const at = header.indexOf(target);
  const cells = rows.map((row) => row[at]!.trim());
  const empty = cells.indexOf("");
  if (empty >= 0) {
    fail({
      who: `${who}, row ${empty + 1}, column "${target}"`,
      must: "the target must name a class",
      got: "an empty cell",
      remedy: "Fill it, or leave the row out.",
    });
  }
  const classNames = inOrder(cells);
  if (classNames.length > MOST_CLASSES) {
    fail({
      who: `${who}, column "${target}"`,
      must: `a target has up to ${MOST_CLASSES} classes`,
      got: `${classNames.length} different values`,
      remedy: "Name another target, or write its classes into the table: attacks here are on classifiers.",
    });
  }
  const places = new Map(classNames.map((name, i) => [name, i]));
  return { labels: cells.map((cell) => places.get(cell)!), classNames };
}
