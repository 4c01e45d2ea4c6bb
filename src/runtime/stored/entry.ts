import type { DType, Shape } from "../../tensor/index.ts";
import type { Executable } from "../executable.ts";
import { sha256 } from "./key.ts";

/** What is kept of a program, or where it is. */
export type Entry =
  | { readonly kind: "program"; readonly parts: Executable; readonly given: readonly Given[] }
  /** The program depends on the elements of these baked tensors, too: its key has them in it. */
  | { readonly kind: "elsewhere"; readonly reads: readonly string[] };

/** A tensor that the program is completed with, by its initializer's name: a baked one, one of the graph's, or itself. */
export interface Given {
  readonly name: string;
  readonly from: { readonly bake: string } | { readonly constant: number } | { readonly own: OwnTensor };
}

/** A tensor that was made while lowering; its elements as bytes, which JSON keeps exactly. */
export interface OwnTensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly bytes: readonly number[];
}

const MAGIC = "fedleak-program\n";
const SUM = 32; // bytes of SHA-256
const START = MAGIC.length + SUM;

/** An entry's file: a word, the checksum of all that follows, the length of a header, the header as JSON, then bytes. */
export async function encodeEntry(key: string, entry: Entry): Promise<Uint8Array> {
  const { blobs, ...about } = entry.kind === "elsewhere" ? { ...entry, blobs: [] } : withoutBlobs(entry);
  const header = new TextEncoder().encode(JSON.stringify({ key, ...about }));
  const size = blobs.reduce((sum, { length }) => sum + length, START + 4 + header.length);
  const file = new Uint8Array(size);
  file.set(new TextEncoder().encode(MAGIC));
  new DataView(file.buffer).setUint32(START, header.length, true);
  let at = START + 4;
  for (const part of [header, ...blobs]) {
    file.set(part, at);
    at += part.length;
  }
  file.set(await sha256(file.subarray(START)), MAGIC.length);
  return file;
}

/** The entry in a file; undefined where the file is damaged, cut off, of another key or of another kind. */
export async function decodeEntry(key: string, file: Uint8Array): Promise<Entry | undefined> {
  if (file.length < START + 4 || text(file.subarray(0, MAGIC.length)) !== MAGIC) return undefined;
  const sum = await sha256(file.subarray(START));
  if (sum.some((byte, i) => byte !== file[MAGIC.length + i])) return undefined;
  // What the checksum covers was written by `encodeEntry`.
  const length = new DataView(file.buffer, file.byteOffset).getUint32(START, true);
  const header = JSON.parse(text(file.subarray(START + 4, START + 4 + length))) as Header & { readonly key: string };
  if (header.key !== key) return undefined;
  return header.kind === "elsewhere" ? header : withBlobs(header, file.subarray(START + 4 + length));
}

type Program = Extract<Entry, { kind: "program" }>;
type Header = ReturnType<typeof headerOf> | Extract<Entry, { kind: "elsewhere" }>;

function withoutBlobs(entry: Program) {
  return { ...headerOf(entry), blobs: [entry.parts.bytes, ...entry.parts.external.map(({ data }) => data)] };
}

function headerOf({ kind, parts: { bytes, external, ...parts }, given }: Program) {
  const sizes = external.map(({ path, data }) => ({ path, length: data.length }));
  return { kind, parts, given, fileLength: bytes.length, external: sizes };
}

function withBlobs(
  { kind, parts, given, fileLength, external }: ReturnType<typeof headerOf>,
  blobs: Uint8Array,
): Entry {
  let at = 0;
  const next = (length: number) => {
    at += length;
    return new Uint8Array(blobs.subarray(at - length, at)); // a copy of its own, aligned: a Buffer's `slice` is none
  };
  const bytes = next(fileLength);
  return {
    kind,
    given,
    parts: { ...parts, bytes, external: external.map(({ path, length }) => ({ path, data: next(length) })) },
  };
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
