import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";

/** A zip file of these entries; of several with one name, the last. */
export async function npz(
  entries: readonly (readonly [name: string, bytes: Uint8Array])[],
  deflate: boolean,
): Promise<Uint8Array> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false, level: deflate ? 9 : 0 });
  for (const [name, bytes] of new Map(entries)) await writer.add(name, new Uint8ArrayReader(bytes));
  return writer.close();
}
