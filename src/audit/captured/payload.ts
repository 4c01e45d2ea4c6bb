import { join } from "node:path";
import { readBytes } from "../../data/index.ts";
import { importOnnx, type OnnxModel } from "../../onnx/index.ts";
import { readNpz, readSafetensors, type Tensors } from "../../tensor/index.ts";
import { fail } from "../../util/index.ts";
import { isOnnxName } from "../onnx-name.ts";
import { exists } from "../run-folder.ts";
import { MANIFEST_FILE, parseManifest, type UpdateManifest } from "./manifest.ts";

/** The manifest in a captured update's folder. Throws FedleakError when there is none or it is not what it should be. */
export async function readManifest(folder: string): Promise<UpdateManifest> {
  const path = join(folder, MANIFEST_FILE);
  if (!(await exists(path))) {
    fail({
      who: `update ${folder}`,
      must: `it must be a folder with a ${MANIFEST_FILE}`,
      got: (await exists(folder)) ? "none in it" : "no such folder",
      remedy: "Pass a folder that fedleak train --capture wrote, or write one as docs/captured-update.md says.",
    });
  }
  return parseManifest(new TextDecoder().decode(await readBytes(path)), path);
}

/** The entries that the manifest in a folder states; all others are defaults, which nobody has vouched for. */
export async function statedEntries(folder: string): Promise<ReadonlySet<string>> {
  const path = join(folder, MANIFEST_FILE);
  const text = new TextDecoder().decode(await readBytes(path));
  parseManifest(text, path);
  return new Set(Object.keys(JSON.parse(text) as object));
}

/** The path of a payload: as the manifest names it, else the one file called `stem` and a known ending; undefined: none. */
export async function payloadFile(
  folder: string,
  stem: "before" | "update",
  named: string | null,
): Promise<string | undefined> {
  if (named !== null) return join(folder, named);
  const found: string[] = [];
  for (const ending of ENDINGS) {
    const path = join(folder, `${stem}.${ending}`);
    if (await exists(path)) found.push(path);
  }
  if (found.length > 1) {
    fail({
      who: `update ${folder}`,
      must: `one file may be called ${stem}.*`,
      got: found.join(", "),
      remedy: `Name the one that counts in ${MANIFEST_FILE}, as "${stem}".`,
    });
  }
  return found[0];
}

const ENDINGS = ["safetensors", "npz", "onnx"] as const;

/** The tensors of a payload by its names; of an ONNX file, or for an ONNX model, by the model's where they are known. */
export async function readPayload(path: string, imported: OnnxModel | undefined): Promise<Tensors> {
  const bytes = await readBytes(path);
  if (isOnnxName(path)) {
    const { params, buffers } = importOnnx(bytes, { name: path }).weights;
    return { ...params, ...buffers };
  }
  const tensors = path.endsWith(".npz") ? await readNpz(bytes, path) : readSafetensors(bytes, path).tensors;
  return imported ? { ...tensors, ...imported.fromFile(tensors) } : tensors;
}
