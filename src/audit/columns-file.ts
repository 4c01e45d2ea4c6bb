import { z } from "zod";
import { type DeclaredColumn, readBytes } from "../data/index.ts";
import { fail } from "../util/index.ts";
import { refuse } from "./schema-error.ts";

const name = z.string().min(1).describe("the name of a column");
const finite = z.number().describe("a number");
const categories = z.array(z.string().min(1)).min(2).describe("a list of two names or more");

/** A column of a table, complete, as a captured update's manifest states it. */
export const column = z
  .discriminatedUnion("kind", [
    z.strictObject({ name, kind: z.literal("numeric"), min: finite, max: finite }),
    z.strictObject({ name, kind: z.literal("categorical"), categories }),
  ])
  .describe('{"name", "kind": "numeric", "min", "max"} or {"name", "kind": "categorical", "categories"}');

const declared = z
  .array(
    z
      .discriminatedUnion("kind", [
        z.strictObject({ name, kind: z.literal("numeric"), min: finite.optional(), max: finite.optional() }),
        z.strictObject({ name, kind: z.literal("categorical"), categories: categories.optional() }),
      ])
      .describe('{"name", "kind": "numeric", "min", "max"} or {"name", "kind": "categorical", "categories"}'),
  )
  .min(1)
  .describe("a list of columns");

/**
 * The columns that a JSON file declares: `[{"name": "age", "kind": "numeric", "min": 0, "max": 120}, …]`.
 *
 * Range and categories may be left away; they are then taken from the table. Throws FedleakError when the file cannot be read, is no
 * JSON, or an entry is unknown or wrong.
 */
export async function readColumns(path: string): Promise<readonly DeclaredColumn[]> {
  const who = `columns ${path}`;
  let request: unknown;
  try {
    request = JSON.parse(new TextDecoder().decode(await readBytes(path)));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return fail({
      who,
      must: "it must be JSON",
      got: `"${cause.message}"`,
      remedy: "See docs/tables.md for an example.",
      cause,
    });
  }
  const parsed = declared.safeParse(request);
  if (parsed.success) return parsed.data;
  return refuse(parsed.error, { schema: declared, request, who, remedy: "See docs/tables.md for an example." });
}
