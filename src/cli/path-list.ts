import { resolve } from "node:path";
import { fail } from "../util/index.ts";

/** The absolute paths of a list such as `a.bin, b.bin`. Throws FedleakError at an empty entry and at one that is there twice. */
export function pathList(text: string, flag: string): string[] {
  const parts = text.split(",").map((part) => part.trim());
  const paths = parts.map((part) => resolve(part));
  const twice = paths.findIndex((path, i) => paths.indexOf(path) !== i);
  if (!parts.includes("") && twice < 0) return paths;
  return fail({
    who: flag,
    must: "it must list paths, each once, separated by commas",
    got: twice < 0 || parts.includes("") ? `an empty entry in "${text}"` : `"${parts[twice]}" twice`,
    remedy: "Images that are there twice would be trained on and measured at once.",
  });
}
