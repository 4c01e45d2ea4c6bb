import { readBytes } from "../data/index.ts";
import { type LpipsWeights, lpipsWeights } from "../metrics/index.ts";
import { readSafetensors, type Tensor } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { sha256 } from "./fingerprint.ts";
import { isHubPlace } from "./hub.ts";
import { readHubFile } from "./hub-cache.ts";

/** LPIPS weights and where they come from. */
export interface LoadedLpips {
  readonly weights: LpipsWeights;
  /** The backbone, and each file with its SHA-256, in words. */
  readonly about: string;
}

/**
 * Reads LPIPS weights from one or more safetensors files, which together hold a backbone and the linear weights.
 *
 * places: paths, or `hub:<owner>/<name>/<file>`, which is downloaded.
 * Throws FedleakError when a file cannot be read or fetched, two hold a tensor of one name, or they do not fit together.
 */
export async function readLpips(
  places: readonly string[],
  fetchHub: (place: string) => Promise<Uint8Array> = readHubFile,
): Promise<LoadedLpips> {
  const tensors: Record<string, Tensor> = {};
  const told: string[] = [];
  for (const place of places) {
    const bytes = isHubPlace(place) ? await fetchHub(place) : await readBytes(place);
    for (const [name, tensor] of Object.entries(readSafetensors(bytes, place).tensors)) {
      if (Object.hasOwn(tensors, name)) {
        fail({
          who: `lpips weights ${place}`,
          must: "no two files may hold a tensor of the same name",
          got: `"${name}" again`,
          remedy: "Pass the backbone once and the linear weights once.",
        });
      }
      tensors[name] = tensor;
    }
    told.push(`${place} (sha256 ${await sha256(bytes)})`);
  }
  const weights = lpipsWeights(tensors, places.join(", "));
  return { weights, about: `${weights.backbone.name}, from ${told.join(" and ")}` };
}
