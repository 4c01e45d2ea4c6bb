import { readFileSync } from "node:fs";
import { readSafetensors, type Safetensors } from "../src/tensor/index.ts";
import { sharedPath } from "./shared.ts";

/** A golden file by its name without extension; undefined where the shared test material is missing. */
export function readGolden(name: string): Safetensors | undefined {
  const path = sharedPath(`golden/${name}.safetensors`);
  return path === undefined ? undefined : readSafetensors(readFileSync(path), `${name}.safetensors`);
}
