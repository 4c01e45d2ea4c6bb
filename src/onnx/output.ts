import { FedleakError, fail, unknownName } from "../util/index.ts";
import type { OnnxFile } from "./file.ts";
import { type Head, headOf } from "./head.ts";
import { tidied } from "./tidy.ts";

const MOST_TRIED = 16; // outputs that are looked at when none is named (our choice)

/**
 * The output that holds logits or probabilities, and the file without what it does not need.
 *
 * Without a name, the first output that comes from a linear layer: exporters put labels before probabilities.
 */
export function chooseOutput(file: OnnxFile, wanted?: string): { readonly file: OnnxFile; readonly head: Head } {
  const names = file.outputs.map(({ name }) => name);
  if (wanted !== undefined && !names.includes(wanted)) {
    return unknownName(`onnx ${file.name}`, "output", wanted, names);
  }
  const troubles: FedleakError[] = [];
  for (const name of wanted === undefined ? names.slice(0, MOST_TRIED) : [wanted]) {
    try {
      const head = headOf(tidied(file, name), name);
      return { file: tidied(file, head.logits), head };
    } catch (error) {
      if (!(error instanceof FedleakError)) throw error;
      troubles.push(error);
    }
  }
  if (troubles[0]) throw troubles[0];
  return fail({ who: `onnx ${file.name}`, must: "it must have an output", got: "none", remedy: "Export it again." });
}
