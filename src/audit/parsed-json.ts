import { fail } from "../util/index.ts";

/** The value in a JSON text that a person wrote. Throws FedleakError when it is none; `who` names the file. */
export function parsedJson(text: string, { who, remedy }: { readonly who: string; readonly remedy: string }): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return fail({ who, must: "it must be JSON", got: `"${(cause as Error).message}"`, remedy, cause });
  }
}
