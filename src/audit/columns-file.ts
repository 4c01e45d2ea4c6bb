import { z } from "zod";
import { type DeclaredColumn, readBytes } from "../data/index.ts";
import { columnEntry, declaredColumn } from "./column-entries.ts";
import { parsedJson } from "./parsed-json.ts";
import { refuse } from "./schema-error.ts";

const declared = z.array(columnEntry).min(1).describe("a list of columns");

/**
 * The columns that a JSON file declares: `[{"name": "age", "kind": "numeric", "min": 0, "max": 120}, …]`.
 *
 * Range and categories may be left away; they are then taken from the table. Throws FedleakError when the file cannot be read, is no
 * JSON, or an entry is unknown or wrong.
 */
export async function readColumns(path: string): Promise<readonly DeclaredColumn[]> {
  const who = `columns ${path}`;
  const remedy = "See docs/tables.md for an example.";
  const text = new TextDecoder().decode(await readBytes(path));
  const request = parsedJson(text, { who, remedy });
  const found = declared.safeParse(request);
  if (!found.success) return refuse(found.error, { schema: declared, request, who, remedy });
  return found.data.map((entry) => declaredColumn(entry, who));
}
