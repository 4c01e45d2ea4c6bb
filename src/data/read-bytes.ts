import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { fail } from "../util/index.ts";

/** The bytes of a file; a gzip file, told by its first two bytes, is unpacked. Throws FedleakError when it cannot be read. */
export async function readUnpacked(path: string): Promise<Uint8Array> {
  const bytes = await readBytes(path);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes; // gzip's magic number, RFC 1952 section 2.3.1
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: LARGEST_UNPACKED });
  } catch (cause) {
    return fail({
      who: `gzip ${path}`,
      must: `the file must be a whole gzip file of at most ${LARGEST_UNPACKED} bytes unpacked`,
      got: `"${messageOf(cause)}"`,
      remedy: "The file is damaged or cut short: fetch it again, or unpack it yourself.",
      cause,
    });
  }
}

/** The bytes of a file as they are. Throws FedleakError when it cannot be read. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    return fail({
      who: `file ${path}`,
      must: "it must be a file that can be read",
      got: `"${messageOf(cause)}"`,
      remedy: "Check the path and its permissions.",
      cause,
    });
  }
}

const LARGEST_UNPACKED = 2 ** 31 - 1; // bytes; our choice, 13 × the largest file of these sets (CIFAR-100's 154 MB)

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
