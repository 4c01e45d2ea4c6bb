import protobuf from "protobufjs/light.js";
import { fail } from "../../util/index.ts";
import { MODEL } from "./schema.ts";

const TIMES = 10; // bytes of memory for a byte of the file (our choice); weights take two
const FREE = 1 << 24; // bytes beyond that, for files of many small nodes (our choice): some 4000 of them

/**
 * An ONNX file as plain objects with the schema's field names; `bytes` fields are views of the file.
 *
 * It counts before it decodes: a hostile file of tiny messages would need hundreds of times its size.
 * Throws FedleakError, naming `name`, when the bytes are no such file.
 */
export function decodeModel(bytes: Uint8Array, name: string): unknown {
  const refuse = (got: string, cause?: unknown): never =>
    fail({
      who: `onnx ${name}`,
      must: "the file must be an ONNX model",
      got,
      remedy: "Check that it was copied whole, and export it again.",
      cause,
    });
  if (bytes.length === 0) return refuse("an empty file");
  try {
    const most = TIMES * bytes.length + FREE;
    if (memoryOf(MODEL, plain(bytes), most) > most)
      return refuse(`more small parts than ${bytes.length} bytes may hold`);
    return MODEL.decode(plain(bytes));
  } catch (cause) {
    return refuse(`bytes that are none (${cause instanceof Error ? cause.message : cause})`, cause);
  }
}

/** A view that is no Buffer of Node, so that `bytes` fields are views too. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const DEEPEST = 32; // messages within messages (our choice); a model without subgraphs needs 6

/** Bytes of memory that a part of a file comes to in this program, a graph made of it included; rough, as measured. */
const MEMORY: Readonly<Record<string, number>> = { Node: 4096, Tensor: 1024, Attribute: 512 };
const OTHER_MESSAGES = 512;
const NAME = 64;
const WIDE_INTEGER = 48; // an object; packed, each takes a byte of the file or more
const INTEGER = 12;

/** The memory that a message would come to; stops counting where it is more than `most`. */
function memoryOf(type: protobuf.Type, bytes: Uint8Array, most: number, depth = 0): number {
  if (depth > DEEPEST) throw new Error("messages nested too deep");
  const reader = protobuf.Reader.create(bytes);
  let memory = MEMORY[type.name] ?? OTHER_MESSAGES;
  while (reader.pos < reader.len && memory <= most) {
    const tag = reader.uint32();
    const [field, wireType] = [type.fieldsById[tag >>> 3]?.resolve(), tag & 7];
    const integer = field && (/int64$/.test(field.type) ? WIDE_INTEGER : /int32$/.test(field.type) ? INTEGER : 0);
    if (!field || wireType !== 2) {
      reader.skipType(wireType, 0, tag >>> 3);
      memory += integer ?? 0;
      continue;
    }
    const part = reader.bytes();
    if (field.resolvedType instanceof protobuf.Type) memory += memoryOf(field.resolvedType, part, most, depth + 1);
    else memory += integer ? integer * part.length : NAME;
  }
  return memory;
}
