import { z } from "zod";
import type { Column, DeclaredColumn } from "../data/index.ts";
import { fail } from "../util/index.ts";

const number = z.number().optional().describe("a number");

/** A column of a table as JSON writes it: in a file for `--columns`, and in a captured update's manifest. */
export const columnEntry = z.strictObject({
  name: z.string().min(1).describe("the name of a column"),
  kind: z.enum(["numeric", "categorical"]).describe("numeric or categorical"),
  /** Of a numeric column: what became 0, and what became 1. */
  min: number,
  max: number,
  /** Of a categorical column, in the order of their numbers. */
  categories: z.array(z.string().min(1)).optional().describe("a list of names"),
});

export type ColumnEntry = z.output<typeof columnEntry>;

/** A column in a manifest, which also tells how the model was fed: (value − mean)/std; without them (value − min)/(max − min). */
export const fedColumn = columnEntry.extend({
  mean: number,
  std: z.number().gt(0).optional().describe("a number > 0"),
});

/**
 * What an entry declares; range and categories may be missing.
 *
 * Throws FedleakError where a numeric column has categories, or a categorical one a range.
 */
export function declaredColumn({ name, kind, min, max, categories }: ColumnEntry, who: string): DeclaredColumn {
  const foreign = kind === "numeric" ? categories && "categories" : (min ?? max) !== undefined && "min or max";
  if (foreign) {
    fail({
      who: `${who}, column "${name}"`,
      must: kind === "numeric" ? "a numeric column has min and max" : "a categorical column has categories",
      got: `${foreign} too`,
      remedy: "Remove them, or change the kind.",
    });
  }
  return kind === "numeric" ? { name, kind, min, max } : { name, kind, categories };
}

/**
 * The columns that a manifest states: complete, since there is no table from which to take the rest.
 *
 * Throws FedleakError where a range or the categories are missing or none, or a column stands twice.
 */
export function statedColumns(entries: readonly ColumnEntry[], who: string): readonly Column[] {
  return entries.map((entry, i) => {
    const column = declaredColumn(entry, who);
    const at = `${who}, column "${entry.name}"`;
    if (entries.findIndex(({ name }) => name === entry.name) !== i) {
      fail({ who: at, must: "each column must be there once", got: "two of that name", remedy: "Remove one of them." });
    }
    if (column.kind === "numeric") {
      const { name, kind, min, max } = column;
      if (min !== undefined && max !== undefined && min < max) return { name, kind, min, max };
      return fail({
        who: at,
        must: "a numeric column must state min and a larger max",
        got: `${min ?? "no min"} and ${max ?? "no max"}`,
        remedy: "Write what became 0 and what became 1: the update does not tell.",
      });
    }
    const { name, kind, categories = [] } = column;
    if (categories.length >= 2 && new Set(categories).size === categories.length) return { name, kind, categories };
    return fail({
      who: at,
      must: "a categorical column must state two different categories or more",
      got: categories.join(", ") || "none",
      remedy: "Write them in the order of their numbers.",
    });
  });
}
