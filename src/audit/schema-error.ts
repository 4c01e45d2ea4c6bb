import { z } from "zod";
import { fail, unknownName } from "../util/index.ts";

/**
 * Throws what is wrong with a request that a schema has refused: the first issue, in the words of the entry's own description.
 *
 * An unknown entry, and a text that is none of those allowed, come with a suggestion. who: stands before the entry's path,
 * `spec client.batchSize`. A description that the entry's schema lacks is that of the list it stands in.
 * Throws FedleakError, always.
 */
export function refuse(
  { issues: [issue] }: z.core.$ZodError,
  {
    schema,
    request,
    who: owner,
    remedy = "Change it, or leave it away for the default where it has one.",
  }: {
    readonly schema: z.ZodType;
    readonly request: unknown;
    readonly who: string;
    readonly remedy?: string;
  },
): never {
  const { path, at } = described(schema, issue!.path);
  const who = [owner, path.join(".")].join(" ").trim();
  const object = at && unwrapped(at);
  if (issue!.code === "unrecognized_keys") {
    return unknownName(who, "entry", issue!.keys[0]!, object instanceof z.ZodObject ? Object.keys(object.shape) : []);
  }
  const got = issue!.path.reduce<unknown>((outer, step) => (outer as Entries | null | undefined)?.[step], request);
  if (issue!.code === "invalid_value" && typeof got === "string" && issue!.values.length > 1) {
    return unknownName(who, String(path.at(-1)), got, issue!.values.map(String));
  }
  const what = descriptionOf(at) ?? (object instanceof z.ZodObject ? "an object of entries" : undefined);
  const must = what === undefined ? issue!.message : `it must be ${what}`;
  return fail({ who, must, got: JSON.stringify(got) ?? "nothing", remedy });
}

type Entries = Readonly<Record<PropertyKey, unknown>>;
type Path = readonly PropertyKey[];

/** The schema at a path; where an item has nothing to say of itself, that of the list around it, with the list's path. */
function described(schema: z.ZodType, path: Path): { readonly path: Path; readonly at: z.ZodType | undefined } {
  const at = path.reduce<z.ZodType | undefined>(inside, schema);
  const mute = descriptionOf(at) === undefined && !(at && unwrapped(at) instanceof z.ZodObject);
  return mute && typeof path.at(-1) === "number" ? described(schema, path.slice(0, -1)) : { path, at };
}

/** The schema of an entry of an object or a record, or of an item of a list. */
function inside(outer: z.ZodType | undefined, step: PropertyKey): z.ZodType | undefined {
  const schema = outer && unwrapped(outer);
  if (schema instanceof z.ZodArray) return schema.element as z.ZodType;
  if (schema instanceof z.ZodRecord) return schema.valueType as z.ZodType;
  return schema instanceof z.ZodObject ? (schema.shape[String(step)] as z.ZodType | undefined) : undefined;
}

/** A schema's description, or that of what it wraps. */
function descriptionOf(schema: z.ZodType | undefined): string | undefined {
  if (schema === undefined || schema.description !== undefined) return schema?.description;
  return isWrap(schema) ? descriptionOf(schema.unwrap() as z.ZodType) : undefined;
}

function unwrapped(schema: z.ZodType): z.ZodType {
  return isWrap(schema) ? unwrapped(schema.unwrap() as z.ZodType) : schema;
}

function isWrap(schema: z.ZodType): schema is z.ZodPrefault | z.ZodDefault | z.ZodNullable | z.ZodOptional {
  return [z.ZodPrefault, z.ZodDefault, z.ZodNullable, z.ZodOptional].some((kind) => schema instanceof kind);
}
