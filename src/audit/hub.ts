import { fail } from "../util/index.ts";

const PREFIX = "hub:";

/** The hub that is asked unless another is named. */
export const HUB_URL = "https://huggingface.co";

/** Whether a place names a file of a model repository rather than a local one: `hub:<owner>/<name>[@<revision>]/<file>`. */
export function isHubPlace(place: string): boolean {
  return place.startsWith(PREFIX);
}

/**
 * Downloads a file of a model repository, over the network and only when asked for by name.
 *
 * `request` stands for the global fetch, `hubUrl` for another hub than huggingface.co. A revision pins the file; without
 * one it is `main`. Throws FedleakError when the place is not well-formed, the file is not there, or the hub cannot be
 * reached.
 */
export async function fetchFromHub(
  place: string,
  request: typeof fetch = fetch,
  hubUrl = HUB_URL,
): Promise<Uint8Array> {
  const { repo, revision, path } = parseHubPlace(place);
  const { downloadFile } = await import("@huggingface/hub"); // a few megabytes that hardly any run needs
  try {
    const file = await downloadFile({ repo, revision, path, fetch: request, hubUrl });
    if (file !== null) return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    return fail({
      who: place,
      must: "the hub must be reached and must know the repository",
      got: `"${cause instanceof Error ? cause.message : String(cause)}"`,
      remedy: "Check the name and the network, or download the file yourself and pass its path.",
      cause,
    });
  }
  return fail({
    who: place,
    must: "the repository must hold the file",
    got: "no such file",
    remedy: `Look at the files of ${repo}.`,
  });
}

/** A place's parts. Throws FedleakError when it is not well-formed, or leads out of its repository. */
export function parseHubPlace(place: string): {
  readonly repo: string;
  readonly revision: string;
  readonly path: string;
} {
  const found = /^hub:([\w.-]+\/[\w.-]+)(?:@([\w.-]+))?\/([\w./-]+)$/.exec(place);
  const climbs = place.split(/[:/@]/).some((part) => /^\.+$/.test(part));
  if (!found || climbs) {
    return fail({
      who: place,
      must: "a place on the hub must be hub:<owner>/<name>/<file>, or hub:<owner>/<name>@<revision>/<file>",
      got: `"${place}"`,
      remedy: "Or pass the path of a local file.",
    });
  }
  return { repo: found[1]!, revision: found[2] ?? "main", path: found[3]! };
}
