import { fail } from "../util/index.ts";
import { type Shape, shapeText } from "./shape.ts";

/** Bytes per element of the element types that can be read, by their name in the file. */
const BYTES_PER_CODE = { F64: 8, I64: 8, F32: 4, I32: 4, F16: 2, BF16: 2, U8: 1, BOOL: 1 } as const;

/** Where one tensor lies: bytes [begin, end) of the data that follows the header. */
export interface StoredTensor {
  readonly name: string;
  readonly code: keyof typeof BYTES_PER_CODE;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly stored: readonly StoredTensor[];
  readonly metadata: Readonly<Record<string, string>>;
  /** What follows the header; the stored tensors cover it without hole, overlap or rest. */
  readonly data: Uint8Array;
}

const LONGEST_HEADER = 100_000_000; // bytes; the limit of the format's reference reader

/**
 * The checked header of a safetensors file: u64 length (little-endian) · JSON of that many bytes · data.
 *
 * @param file how errors call the file
 */
export function safetensorsHeader(bytes: Uint8Array, file: string): Header {
  const who = `safetensors ${file}`;
  const { json, data } = splitFile(bytes, who);
  const { __metadata__: metadata = {}, ...entries } = parseObject(json, who);
  const stored = Object.entries(entries).map(([name, entry]) => storedTensor(name, entry, who));
  checkLayout(stored, data.length, who);
  return { stored, metadata: checkedMetadata(metadata, who), data };
}

function splitFile(bytes: Uint8Array, who: string): { json: Uint8Array; data: Uint8Array } {
  const remedy = "The file is cut short or is not a safetensors file: fetch or write it again.";
  if (bytes.length < 8) {
    fail({ who, must: "the file must begin with 8 bytes of header length", got: `${bytes.length} bytes`, remedy });
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > LONGEST_HEADER || length > bytes.length - 8) {
    fail({
      who,
      must: `the header length must be at most ${Math.min(LONGEST_HEADER, bytes.length - 8)}, what the file holds`,
      got: `${length}`,
      remedy,
    });
  }
  const start = 8 + Number(length);
  return {
    json: bytes.subarray(8, start),
    data: new Uint8Array(bytes.buffer, bytes.byteOffset + start, bytes.length - start),
  };
}

function parseObject(json: Uint8Array, who: string): Record<string, unknown> {
  const must = "the header must be a JSON object in UTF-8 that begins with {";
  const remedy = "The file is damaged or is not a safetensors file: fetch or write it again.";
  if (json[0] !== 0x7b) fail({ who, must, got: json.length === 0 ? "an empty header" : `byte ${json[0]}`, remedy });
  let text: string;
  let value: Record<string, unknown>;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(json);
    checkPlain(text);
    value = JSON.parse(text);
  } catch (cause) {
    return fail({ who, must, got: cause instanceof Error ? cause.message : String(cause), remedy, cause });
  }
  const doubled = doubledKey(text);
  if (doubled !== undefined) {
    fail({ who, must: "names must be unique", got: `"${doubled}" twice`, remedy: "Write the file again." });
  }
  return value;
}

const DEEPEST = 3; // the header, an entry of it, a list in that
const SHORTEST = 16; // bytes of an entry for each list and object in it; {"dtype":"U8","shape":[],"data_offsets":[0,0]} has 17

/** Throws where a text nests deeper, or holds more lists and objects, than a header can: those would take memory. */
function checkPlain(text: string): void {
  let [depth, opened, inText] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]!;
    if (letter === '"') inText = !inText;
    else if (inText) at += letter === "\\" ? 1 : 0;
    else if (letter === "{" || letter === "[") [depth, opened] = [depth + 1, opened + 1];
    else if (letter === "}" || letter === "]") depth--;
    if (depth > DEEPEST) throw new Error("lists within lists");
  }
  if (opened > 2 + text.length / SHORTEST) throw new Error(`${opened} lists and objects in ${text.length} letters`);
}

/** The first key that occurs twice in one object of a valid JSON text; `JSON.parse` would silently keep the last. */
function doubledKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "{") open.push(new Set());
    else if (text[at] === "}") open.pop();
    else if (text[at] === '"') {
      const start = at++;
      while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
      let after = at + 1;
      while (" \t\r\n".includes(text[after]!)) after++;
      if (text[after] !== ":") continue; // a value, not a key
      const name: string = JSON.parse(text.slice(start, at + 1));
      if (open.at(-1)!.has(name)) return name;
      open.at(-1)!.add(name);
    }
  }
  return undefined;
}

function storedTensor(name: string, entry: unknown, who: string): StoredTensor {
  const remedy = "The file is damaged: fetch or write it again.";
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(BYTES_PER_CODE, dtype)) {
    return fail({
      who,
      must: `dtype of tensor "${name}" must be one of ${Object.keys(BYTES_PER_CODE).join(", ")}`,
      got: told(dtype),
      remedy: "Convert the tensor, for example to F32, before saving.",
    });
  }
  const code = dtype as StoredTensor["code"];
  const size = isCounts(shape) ? shape.reduce((product, extent) => product * extent, BYTES_PER_CODE[code]) : Number.NaN;
  if (!isCounts(shape) || !Number.isSafeInteger(size)) {
    return fail({
      who,
      must: `shape of tensor "${name}" must list whole extents, with a size below 2^53 bytes`,
      got: told(shape),
      remedy,
    });
  }
  if (!isCounts(offsets) || offsets.length !== 2) {
    return fail({
      who,
      must: `data_offsets of tensor "${name}" must be [begin, end], two whole numbers`,
      got: told(offsets),
      remedy,
    });
  }
  const [begin, end] = offsets as [number, number];
  if (end - begin !== size) {
    fail({
      who,
      must: `tensor "${name}" (${code} ${shapeText(shape)}) must take ${size} bytes`,
      got: `${end - begin}, data_offsets ${told(offsets)}`,
      remedy,
    });
  }
  return { name, code, shape, begin, end };
}

/** The tensors, in the order of their offsets, must cover the data exactly. */
function checkLayout(stored: readonly StoredTensor[], sizeBytes: number, who: string): void {
  let covered = 0;
  for (const { name, begin, end } of [...stored].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      fail({
        who,
        must: `tensor "${name}" must begin at byte ${covered}, where the one before it ends`,
        got: `byte ${begin}, ${begin < covered ? "an overlap" : "a hole"}`,
        remedy: "The file is damaged: fetch or write it again.",
      });
    }
    if (end > sizeBytes) {
      fail({
        who,
        must: `tensor "${name}" must end within the ${sizeBytes} bytes of data`,
        got: `end ${end}`,
        remedy: "The file is cut short: fetch or write it again.",
      });
    }
    covered = end;
  }
  if (covered !== sizeBytes) {
    fail({
      who,
      must: `the data must end with the last tensor, at byte ${covered}`,
      got: `${sizeBytes - covered} bytes more`,
      remedy: "Something was appended to the file: fetch or write it again.",
    });
  }
}

function checkedMetadata(metadata: unknown, who: string): Readonly<Record<string, string>> {
  const plain = typeof metadata === "object" && metadata !== null && !Array.isArray(metadata);
  if (!plain || !Object.values(metadata).every((value) => typeof value === "string")) {
    fail({
      who,
      must: "__metadata__ must map text to text",
      got: told(metadata),
      remedy: "Store other values as text, for example as JSON.",
    });
  }
  return metadata as Readonly<Record<string, string>>;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((v) => Number.isSafeInteger(v) && v >= 0);
}

/** A value from the header as errors quote it, cut to a line. */
function told(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text; // 80: fits a terminal line
}
