import type { Column, TableAbout } from "../data/index.ts";
import type { Assumption } from "./record-schema.ts";

/** What is taken for known of a table's columns, and who said so. */
export function columnsEntry({ columns, declared, unused }: TableAbout): Assumption {
  const from =
    declared === columns.length
      ? "as declared"
      : `${declared === 0 ? "" : `${declared} of them as declared, else `}smallest and largest numbers and categories of the whole table`;
  return {
    ...columnsKnown(columns),
    origin: declared === columns.length ? "user" : "measured",
    note: `${KNOWN}; ${from}${unused.length > 0 ? `; not fed to the model: ${unused.join(", ")}` : ""}`,
  };
}

/** The columns of a captured update, as its manifest states them. */
export function statedColumnsEntry(columns: readonly Column[]): Assumption {
  return { ...columnsKnown(columns), origin: "user", note: `${KNOWN}; stated in the manifest` };
}

const KNOWN = "ranges and categories are taken for known to the server, as a model's inputs are";

function columnsKnown(columns: readonly Column[]): Pick<Assumption, "assumption" | "value"> {
  const told = columns.map((column) =>
    column.kind === "numeric"
      ? `${column.name} (${column.min} to ${column.max})`
      : `${column.name} (${column.categories.length} categories)`,
  );
  return { assumption: "columns", value: told.join(", ") };
}
