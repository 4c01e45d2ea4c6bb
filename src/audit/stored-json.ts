import type { z } from "zod";
import { fail } from "../util/index.ts";

/** A kind of JSON file that fedleak writes and reads again. */
export interface StoredKind<T> {
  /** With its article: "a record". */
  readonly what: string;
  readonly format: string;
  readonly version: number;
  readonly schema: z.ZodType<T>;
  /** What a value says that cannot be true together. */
  readonly laws?: (value: T) => readonly string[];
  /** What to do with a file that is no JSON, and with one that is something else. */
  readonly remedy: { readonly damaged: string; readonly foreign: string };
}

/**
 * The value in the text of such a file; `file` is only named in errors.
 *
 * Throws FedleakError when the text is no JSON (its cause is then the SyntaxError), of another format or version, has unknown
 * or missing entries, or breaks a law.
 */
export function parseStored<T>(text: string, file: string, kind: StoredKind<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return fail({
      who: file,
      must: `${kind.what} must be JSON`,
      got: (cause as Error).message,
      remedy: kind.remedy.damaged,
      cause,
    });
  }
  return checkStored(value, file, kind);
}

/** Checks a value in memory as `parseStored` does; call it before writing one. */
export function checkStored<T>(value: unknown, file: string, kind: StoredKind<T>): T {
  checkHeader(value, file, kind);
  const { what, format, version, schema, laws } = kind;
  const parsed = schema.safeParse(value);
  const found = parsed.success
    ? (laws?.(parsed.data) ?? [])
    : parsed.error.issues.map(({ path, message }) => `${path.join(".") || what.split(" ").at(-1)}: ${message}`);
  if (parsed.success && found.length === 0) return parsed.data;
  return fail({
    who: file,
    must: `${what} must follow ${format} version ${version}`,
    got: found.slice(0, SHOWN).join("; "),
    remedy: "Write it with the same version of fedleak that reads it, unedited.",
  });
}

/** Whether the text is of a format, sound or not. */
export function hasFormat(text: string, format: string): boolean {
  try {
    return headerOf(JSON.parse(text)).format === format;
  } catch {
    return false;
  }
}

const SHOWN = 5; // complaints; enough to see what is wrong

/** Tells another file and another version apart before the details are looked at. */
function checkHeader<T>(value: unknown, file: string, { format, version, remedy }: StoredKind<T>): void {
  const header = headerOf(value);
  const told = [
    ["format", format, remedy.foreign],
    ["version", version, "Read it with the version of fedleak that wrote it."],
  ] as const;
  for (const [entry, wanted, todo] of told) {
    if (header[entry] === wanted) continue;
    const got = JSON.stringify(header[entry]) ?? "none";
    fail({ who: file, must: `"${entry}" must be ${JSON.stringify(wanted)}`, got, remedy: todo });
  }
}

function headerOf(value: unknown): { readonly format?: unknown; readonly version?: unknown } {
  return typeof value === "object" && value !== null ? value : {};
}
