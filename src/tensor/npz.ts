import { type FileEntry, Uint8ArrayReader, Uint8ArrayWriter, ZipReader, ZipWriter } from "@zip.js/zip.js";
import { FedleakError, fail } from "../util/index.ts";
import { readNpy, writeNpy } from "./npy.ts";
import { HEADER_WITHIN, npyLength } from "./npy-header.ts";
import type { Tensor, Tensors } from "./tensor.ts";

/**
 * The tensors in the bytes of an npz file, as `numpy.savez` and `numpy.savez_compressed` write it, in the file's order.
 *
 * Names lose their `.npy`: arrays that were saved without a name are arr_0, arr_1, …
 * Memory grows with what is really in the file, not with what it says of itself.
 *
 * @param name how errors call the file
 * @throws FedleakError when the bytes are no whole zip file of npy files, a checksum is wrong, or a name is doubled.
 *
 * Source: the format's description, numpy.lib.format and numpy.savez.
 */
export async function readNpz(bytes: Uint8Array, name: string): Promise<Tensors> {
  const reader = new ZipReader(new Uint8ArrayReader(bytes), PLAIN);
  try {
    const found = new Map<string, Tensor>();
    // One after the other: a directory of a million entries is refused at the first that is none.
    const entries = reader.getEntriesGenerator();
    for (
      let next = await whole(name, () => entries.next());
      !next.done;
      next = await whole(name, () => entries.next())
    ) {
      const entry = next.value;
      const array = arrayName(entry, name);
      if (found.has(array)) complain(name, "names must be unique", `"${array}" twice`);
      found.set(array, readNpy(await unpacked(entry as FileEntry, bytes.length, name), `${name}:${array}`));
    }
    return Object.fromEntries(found);
  } finally {
    await reader.close();
  }
}

/** The bytes of an npz file with these tensors, uncompressed; `numpy.load` and `readNpz` read it. */
export async function writeNpz(tensors: Tensors): Promise<Uint8Array> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { ...PLAIN, level: 0, zip64: false, extendedTimestamp: false });
  for (const [name, t] of Object.entries(tensors)) {
    const lastModDate = new Date(1980, 0, 1); // the earliest a zip file knows, as NumPy writes it: equal bytes every time
    await writer.add(`${name}.npy`, new Uint8ArrayReader(writeNpy(t)), { lastModDate });
  }
  return writer.close();
}

const PLAIN = { useWebWorkers: false, checkSignature: true, checkOverlappingEntry: true } as const;
const DEFLATE_AT_MOST = 1032; // bytes from one byte: the limit of DEFLATE, as zlib's documentation tells

function arrayName(
  entry: { readonly filename: string; readonly directory: boolean; readonly encrypted: boolean },
  file: string,
) {
  const name = /^(.+)\.npy$/.exec(entry.filename)?.[1];
  if (name !== undefined && !entry.directory && !entry.encrypted) return name;
  return complain(file, "it must hold npy files and nothing else", `"${entry.filename}"`);
}

/** The bytes of one entry, collected as they come; no more than its own header, the array's, says that there are. */
async function unpacked(entry: FileEntry, fileBytes: number, file: string): Promise<Uint8Array> {
  const { filename, compressedSize, uncompressedSize } = entry;
  if (compressedSize > fileBytes || uncompressedSize > DEFLATE_AT_MOST * compressedSize) {
    const got = `${uncompressedSize} from ${compressedSize} bytes for "${filename}"`;
    complain(file, "sizes in its directory must be possible", got);
  }
  const parts: Uint8Array[] = [];
  let [length, told] = [0, false];
  const tell = () => {
    if (told) return;
    told = true;
    const size = npyLength(joined(parts, length), `${file}:${filename}`);
    if (size !== uncompressedSize)
      complain(file, `"${filename}" must be the ${size} bytes of its array`, `${uncompressedSize}`);
  };
  const sink = new WritableStream<Uint8Array>({
    write: (part) => {
      length += part.length;
      if (length > uncompressedSize) complain(file, `"${filename}" must unpack to ${uncompressedSize} bytes`, "more");
      parts.push(part);
      if (length >= HEADER_WITHIN) tell();
    },
  });
  await whole(file, () => entry.getData(sink, PLAIN));
  if (length !== uncompressedSize)
    complain(file, `"${filename}" must unpack to ${uncompressedSize} bytes`, `${length}`);
  tell();
  return joined(parts, length);
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** What the zip library reads, its complaints as ours. */
async function whole<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof FedleakError) throw cause;
    const got = cause instanceof Error ? `"${cause.message}"` : `"${cause}"`;
    return complain(file, "it must be a whole zip file", got, cause);
  }
}

function complain(file: string, must: string, got: string, cause?: unknown): never {
  const remedy = "The file is damaged or is no npz file: write it again with numpy.savez.";
  return fail({ who: `npz ${file}`, must, got, remedy, cause });
}
