import { largestOf } from "../tensor/index.ts";
import { fail } from "../util/index.ts";

/** A column of numbers; `min` becomes 0 and `max` becomes 1. */
export interface NumericColumn {
  readonly name: string;
  readonly kind: "numeric";
  readonly min: number;
  /** > min */
  readonly max: number;
}

/** A column of names; each category becomes a number of its own, 1 for the row's and 0 for the others. */
export interface CategoricalColumn {
  readonly name: string;
  readonly kind: "categorical";
  /** At least one, all different. */
  readonly categories: readonly string[];
}

/** How a column of a table is written as numbers in [0,1]. */
export type Column = NumericColumn | CategoricalColumn;

/** Where a column's numbers stand in an encoded row. */
export interface ColumnSpan {
  readonly name: string;
  readonly kind: Column["kind"];
  /** Index of its first number. */
  readonly from: number;
  /** 1 for a numeric column, else the number of its categories. */
  readonly width: number;
}

/** The spans of columns, one after the other without gaps; their widths add up to D. */
export function columnSpans(columns: readonly Column[]): ColumnSpan[] {
  let next = 0;
  return columns.map((column) => {
    const width = column.kind === "numeric" ? 1 : column.categories.length;
    const from = next;
    next += width;
    return { name: column.name, kind: column.kind, from, width };
  });
}

/** D, the numbers that a row becomes. */
export function columnsWidth(columns: readonly Column[]): number {
  return columnSpans(columns).reduce((sum, { width }) => sum + width, 0);
}

/**
 * A row's cells as numbers: (x − min)/(max − min) for a numeric column, one-hot for a categorical one.
 *
 * cells: one text a column → D numbers in [0,1]. `at` names the row in errors.
 * Throws FedleakError, with row and column, at a missing cell, a text that is no number, a number outside the range or an
 * unknown category.
 */
export function encodeRow(cells: readonly string[], columns: readonly Column[], at: string): number[] {
  return columns.flatMap((column, i) => {
    const text = (cells[i] ?? "").trim();
    return column.kind === "numeric" ? [encodedNumber(text, column, at)] : encodedCategory(text, column, at);
  });
}

/**
 * The cells that D numbers stand for: a number in the column's own range, the category of the largest number (the first of equals).
 *
 * `encodeRow` and this undo each other up to rounding; numbers that are no row's are read as the nearest one.
 */
export function decodeRow(numbers: ArrayLike<number>, columns: readonly Column[]): (number | string)[] {
  return columnSpans(columns).map(({ from, width }, i) => {
    const column = columns[i]!;
    if (column.kind === "numeric") return column.min + numbers[from]! * (column.max - column.min);
    return column.categories[largestOf(numbers, from, width)]!;
  });
}

/** Whether a cell holds nothing, or says that its value is not known, as spreadsheets, R and pandas write it. */
export function isMissing(text: string): boolean {
  return /^(|na|nan|null|\?)$/i.test(text.trim());
}

/** A decimal number as tables write it; undefined for any other text, "NaN", "0x10" and "" among them. */
export function numberIn(text: string): number | undefined {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

function encodedNumber(text: string, { name, min, max }: NumericColumn, at: string): number {
  const value = numberIn(text);
  if (value === undefined) {
    return fail({
      who: `${at}, column "${name}"`,
      must: "it must be a number",
      got: cellText(text),
      remedy: isMissing(text) ? MISSING : "Mend the cell, or declare the column categorical.",
    });
  }
  if (value < min || value > max) {
    fail({
      who: `${at}, column "${name}"`,
      must: `it must lie in the declared range, ${min} to ${max}`,
      got: text,
      remedy: "Declare a wider range: what the model was fed with decides.",
    });
  }
  return (value - min) / (max - min);
}

function encodedCategory(text: string, { name, categories }: CategoricalColumn, at: string): number[] {
  const index = categories.indexOf(text);
  if (index < 0) {
    fail({
      who: `${at}, column "${name}"`,
      must: `it must be one of ${listed(categories)}`,
      got: cellText(text),
      remedy: isMissing(text) ? MISSING : "Add the category to the declared ones, or mend the cell.",
    });
  }
  return categories.map((_, k) => (k === index ? 1 : 0));
}

function cellText(text: string): string {
  return text === "" ? "an empty cell" : `"${text}"`;
}

const MISSING = "Fill it, or leave the row out: missing values are not guessed. Where it is a category, declare it.";
const SHOWN = 12; // categories told in an error; our choice

function listed(categories: readonly string[]): string {
  const more = categories.length > SHOWN ? `, … (${categories.length})` : "";
  return categories.slice(0, SHOWN).join(", ") + more;
}
