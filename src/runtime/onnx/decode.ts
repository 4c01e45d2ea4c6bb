import protobuf from "protobufjs/light.js";
import { fail } from "../../util/index.ts";
import { MODEL } from "./schema.ts";

const MOST_OBJECTS = 1 << 20; // messages, names and integers in one file (our choice); networks of practice have some 10,000

/**
 * An ONNX file as plain objects with the schema's field names; `bytes` fields are views of the file.
 *
 * It counts before it decodes: a hostile file of tiny messages would need a hundred times its size.
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
    if (count(MODEL, plain(bytes), 0) > MOST_OBJECTS) return refuse(`more than ${MOST_OBJECTS} parts`);
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

/** The parts of a message that would each become an object; stops counting where there are too many. */
function count(type: protobuf.Type, bytes: Uint8Array, depth: number): number {
  if (depth > DEEPEST) throw new Error("messages nested too deep");
  const reader = protobuf.Reader.create(bytes);
  let parts = 1;
  while (reader.pos < reader.len && parts <= MOST_OBJECTS) {
    const tag = reader.uint32();
    const [field, wireType] = [type.fieldsById[tag >>> 3]?.resolve(), tag & 7];
    if (!field || wireType !== 2) {
      reader.skipType(wireType, 0, tag >>> 3);
      parts++;
      continue;
    }
    const part = reader.bytes();
    if (field.resolvedType instanceof protobuf.Type) parts += count(field.resolvedType, part, depth + 1);
    else parts += /^u?int64$/.test(field.type) ? part.length : 1; // a packed integer takes one byte or more
  }
  return parts;
}
