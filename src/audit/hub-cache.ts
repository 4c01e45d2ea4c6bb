import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ownCache, usualCache } from "./cache-folder.ts";
import { fetchFromHub, HUB_URL, parseHubPlace } from "./hub.ts";
import { writeError, writeWhole } from "./write-file.ts";

export interface HubOptions {
  /** Where downloads are kept. */
  readonly folder?: string;
  /** Stands for the global fetch. */
  readonly request?: typeof fetch;
  /** Another hub than huggingface.co. */
  readonly hubUrl?: string;
}

/**
 * The bytes of a file on the hub: those of an earlier download, where there was one, else downloaded and kept.
 *
 * A file is kept under the hub's host, owner, name, revision and path: what was downloaded from `main` stays that until it is deleted.
 * Throws FedleakError as `fetchFromHub` does, or when the folder cannot be written.
 */
export async function readHubFile(place: string, options: HubOptions = {}): Promise<Uint8Array> {
  const { folder = cacheFolder(), request = fetch, hubUrl = process.env.HF_ENDPOINT } = options;
  const { repo, revision, path } = parseHubPlace(place);
  const kept = join(folder, hostOf(hubUrl ?? HUB_URL), ...repo.split("/"), revision, ...path.split("/"));
  const before = await readFile(kept).catch(() => undefined);
  if (before) return before;
  const bytes = await fetchFromHub(place, request, hubUrl);
  await mkdir(dirname(kept), { recursive: true }).catch((cause) => {
    throw writeError(dirname(kept), cause);
  });
  await writeWhole(kept, bytes);
  return bytes;
}

/** The hub's host as the name of a folder, its port after an underscore; two hubs may hold other files of one name. */
function hostOf(hubUrl: string): string {
  const host = URL.canParse(hubUrl) ? new URL(hubUrl).host : "unknown"; // what is no address fails at its download
  return host.replaceAll(/[^\w.-]/g, "_");
}

function cacheFolder(): string {
  return ownCache() ?? join(usualCache(), "hub");
}
