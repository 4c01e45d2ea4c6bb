import type { Tensor, Tensors } from "../../tensor/index.ts";
import { type Asked, assemble, type Executable, executable } from "../executable.ts";
import { lower } from "../lower/index.ts";
import { decodeEntry, type Entry, encodeEntry, type Given } from "./entry.ts";
import { keyOf, keyWith, viewOf } from "./key.ts";
import type { ProgramStore } from "./store.ts";

/**
 * The program of a graph, ready to be opened: the kept one where there is one, else a new one, which is kept.
 *
 * Both are the same bytes. What is kept has no baked tensor in it, but for what was computed of the elements of weights while
 * lowering; which ones those were is found by watching, and their elements are then part of the key. Of what is not
 * named as weights, and of the graph's own tensors, nothing is computed and nothing is kept.
 */
export async function assembleStored(request: Asked, store: ProgramStore): Promise<Executable> {
  const asked = { ...request, weights: request.weights ?? [] };
  const { key, constants } = await keyOf(asked, store.about);
  const complete = ({ parts, given }: Program) =>
    executable(
      parts,
      given.map(({ name, from }) => ({ name, tensor: resolved(from, asked.bake, constants) })),
    );
  const known = await find(key, asked.bake, store);
  if (known) return complete(known);

  const { watched, names, reads } = watch(asked.bake);
  const { given, ...parts } = assemble(lower(asked.outputs, watched, asked.weights, asked), asked.device);
  const read = [...reads].sort();
  const sources = given.map(({ name, tensor: t }) => ({ name, from: origin(t, names, constants) }));
  const made: Program = { kind: "program", parts, given: sources };
  if (read.length > 0) await keep(key, { kind: "elsewhere", reads: read }, store);
  await keep(read.length > 0 ? await keyReading(key, read, asked.bake) : key, made, store);
  return complete(made);
}

type Program = Extract<Entry, { kind: "program" }>;

async function find(key: string, bake: Tensors, store: ProgramStore): Promise<Program | undefined> {
  const first = await load(key, store);
  if (first?.kind !== "elsewhere") return first;
  const entry = await load(await keyReading(key, first.reads, bake), store);
  return entry?.kind === "program" ? entry : undefined;
}

/** The key of a program that depends on the elements of some baked tensors. */
function keyReading(key: string, reads: readonly string[], bake: Tensors): Promise<string> {
  return keyWith(
    JSON.stringify([key, reads]),
    reads.map((name) => bake[name]!),
  );
}

async function load(key: string, store: ProgramStore): Promise<Entry | undefined> {
  const file = await store.read(key);
  return file && decodeEntry(key, file);
}

async function keep(key: string, entry: Entry, store: ProgramStore): Promise<void> {
  await store.write(key, await encodeEntry(key, entry));
}

/** Stand-ins for the tensors, which notice whose elements are looked at. */
function watch(bake: Tensors) {
  const reads = new Set<string>();
  const names = new Map<Tensor, string>();
  const watched = Object.fromEntries(
    Object.entries(bake).map(([name, { dtype, shape, data }]): [string, Tensor] => {
      const stand = {
        dtype,
        shape,
        get data() {
          reads.add(name);
          return data;
        },
      } as Tensor;
      names.set(stand, name);
      return [name, stand];
    }),
  );
  return { watched, names, reads };
}

function origin(t: Tensor, names: ReadonlyMap<Tensor, string>, constants: readonly Tensor[]): Given["from"] {
  const bake = names.get(t);
  if (bake !== undefined) return { bake };
  const constant = constants.indexOf(t);
  if (constant >= 0) return { constant };
  return { own: { dtype: t.dtype, shape: t.shape, bytes: Array.from(viewOf(t.data)) } };
}

function resolved(from: Given["from"], bake: Tensors, constants: readonly Tensor[]): Tensor {
  if ("bake" in from) return bake[from.bake]!;
  if ("constant" in from) return constants[from.constant]!;
  const { dtype, shape, bytes } = from.own;
  const { buffer } = Uint8Array.from(bytes);
  return { dtype, shape, data: new ARRAYS[dtype](buffer) } as Tensor;
}

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};
