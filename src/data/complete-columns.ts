import { fail, unknownName } from "../util/index.ts";
import { type Column, isMissing, numberIn } from "./columns.ts";

/** A column as people declare it; what they leave away is taken from the table. */
export type DeclaredColumn =
  | {
      readonly name: string;
      readonly kind: "numeric";
      readonly min?: number | undefined;
      readonly max?: number | undefined;
    }
  | { readonly name: string; readonly kind: "categorical"; readonly categories?: readonly string[] | undefined };

/** A table as text: names of its columns, and rows of as many cells. */
export interface Cells {
  /** For errors, as `table people.csv`. */
  readonly who: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * The columns a model is fed with, complete: the declared ones, or all but the target where none are declared.
 *
 * Ranges and categories that nobody declared are those of the table: its smallest and largest number, its values in order.
 * Without a declaration a column is numeric where most of its cells that hold something are numbers (our choice), and what stands for a
 * missing value (`NA`, `NaN`, `null`, `?`) is no category.
 * Throws FedleakError when a column does not exist or stands twice, is the target, has one value only, too many categories to
 * be one, a range that is no finite number, or, not declared, mostly numbers with a decimal comma.
 */
export function completeColumns(
  table: Cells,
  target: string | null,
  declared: readonly DeclaredColumn[] | undefined,
): readonly Column[] {
  const { who, header } = table;
  const asked = declared ?? header.filter((name) => name !== target).map((name) => guessed(table, name));
  if (asked.length === 0) {
    fail({
      who,
      must: "there must be a column beside the target",
      got: `only "${target}"`,
      remedy: "Pass a table with columns that a model can be fed with.",
    });
  }
  const names = asked.map(({ name }) => name);
  for (const [i, name] of names.entries()) {
    if (!header.includes(name)) unknownName(who, "a declared column", name, header);
    if (name === target) {
      fail({
        who,
        must: "the target is no input of the model",
        got: `"${name}" among the declared columns`,
        remedy: "Leave it out there.",
      });
    }
    if (names.indexOf(name) !== i) {
      fail({ who, must: "each column must be declared once", got: `"${name}" twice`, remedy: "Remove one of them." });
    }
  }
  return asked.map((column) => complete(table, column));
}

/** How many columns were declared in full, for the ledger: what the table had to tell for the others. */
export function isDeclaredInFull(column: DeclaredColumn): boolean {
  return column.kind === "numeric"
    ? column.min !== undefined && column.max !== undefined
    : column.categories !== undefined;
}

export const MOST_CATEGORIES = 100; // our choice: with more, a column that nobody declared is a name or a text

const DECIMAL_COMMA = /^[+-]?\d+(,\d+)+$/;

function guessed(table: Cells, name: string): DeclaredColumn {
  const cells = cellsOf(table, name).filter((cell) => !isMissing(cell));
  const commas = cells.filter((cell) => DECIMAL_COMMA.test(cell));
  if (2 * commas.length > cells.length) {
    fail({
      who: `${table.who}, column "${name}"`,
      must: "numbers must be written with a decimal point",
      got: `"${commas[0]}"`,
      remedy: "Write 1.5 for 1,5, or declare the column categorical.",
    });
  }
  const numeric = 2 * cells.filter((cell) => numberIn(cell) !== undefined).length > cells.length;
  return { name, kind: numeric ? "numeric" : "categorical" };
}

function complete(table: Cells, column: DeclaredColumn): Column {
  const who = `${table.who}, column "${column.name}"`;
  const cells = cellsOf(table, column.name);
  if (column.kind === "categorical") {
    const categories =
      column.categories?.map((name) => name.trim()) ?? inOrder(cells.filter((cell) => !isMissing(cell)));
    if (column.categories === undefined && categories.length > MOST_CATEGORIES) {
      fail({
        who,
        must: `a column that is not declared may have up to ${MOST_CATEGORIES} categories`,
        got: `${categories.length}`,
        remedy: "Declare its categories, or declare the columns without it: a name or a text is no input.",
      });
    }
    if (new Set(categories).size < 2 || new Set(categories).size < categories.length) {
      fail({
        who,
        must: "it must have two different categories or more, each named once",
        got: categories.join(", "),
        remedy: "Declare the columns without it, or with its categories.",
      });
    }
    return { name: column.name, kind: "categorical", categories };
  }
  const numbers = cells.map(numberIn).filter((value) => value !== undefined);
  const min = column.min ?? numbers.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const max = column.max ?? numbers.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (!(min < max) || !Number.isFinite(max - min)) {
    fail({
      who,
      must: "its range must go from one number to a larger one, a finite difference away",
      got: `${min} to ${max}`,
      remedy: "Declare min and max, or declare the columns without it: one value says nothing.",
    });
  }
  return { name: column.name, kind: "numeric", min, max };
}

/** Different values, numbers by size, else by their characters. */
export function inOrder(values: readonly string[]): string[] {
  const different = [...new Set(values)];
  const numbers = different.map(numberIn);
  return numbers.every((value) => value !== undefined)
    ? different.sort((a, b) => Number(a) - Number(b))
    : different.sort();
}

function cellsOf({ header, rows }: Cells, name: string): string[] {
  const at = header.indexOf(name);
  return rows.map((row) => row[at]!.trim());
}
