import type { z } from "zod";
import type { Model } from "../nn/index.ts";
import { completeOptions } from "./options.ts";

/** A named architecture whose members differ by options. */
export interface ModelFamily {
  /** What it is, in one line. */
  readonly about: string;
  /** Where it comes from. */
  readonly source: string;
  /** What each option must be, by name. */
  readonly options: Readonly<Record<string, string>>;
  /** The model with these options; throws FedleakError when one is unknown, missing or wrong. */
  build(options: Readonly<Record<string, unknown>>): Model;
}

/** A family from the schema of its options and a builder that gets them complete. `who` is how errors call it. */
export function defineFamily<S extends z.ZodObject>(family: {
  readonly name: string;
  readonly about: string;
  readonly source: string;
  readonly schema: S;
  readonly build: (options: z.output<S>) => Model;
}): ModelFamily {
  const { name, about, source, schema, build } = family;
  const options = Object.fromEntries(
    Object.entries(schema.shape).map(([key, field]) => [key, field.description ?? ""]),
  );
  return { about, source, options, build: (given) => build(completeOptions(`model ${name}`, schema, given)) };
}
