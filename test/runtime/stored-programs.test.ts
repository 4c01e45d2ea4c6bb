import { describe, expect, test } from "vitest";
import {
  abs,
  broadcastTo,
  cast,
  constant,
  conv,
  grad,
  greater,
  input,
  mul,
  type Node,
  relu,
  reshape,
  square,
  sub,
  sum,
} from "../../src/graph/index.ts";
import { type Asked, assembled, type Executable } from "../../src/runtime/executable.ts";
import { compile, type ProgramStore } from "../../src/runtime/index.ts";
import { assembleStored } from "../../src/runtime/stored/assemble-stored.ts";
import { decodeEntry } from "../../src/runtime/stored/entry.ts";
import { keyOf } from "../../src/runtime/stored/key.ts";
import { float32, type Shape, sizeOf, type Tensor, type Tensors } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";

/** A store in memory that counts. */
function memory(about = "here"): ProgramStore & { readonly files: Map<string, Uint8Array>; hits: number } {
  const files = new Map<string, Uint8Array>();
  const store = {
    about,
    files,
    hits: 0,
    read: async (name: string) => {
      const found = files.get(name);
      if (found) store.hits++;
      return found;
    },
    write: async (name: string, bytes: Uint8Array) => {
      files.set(name, bytes.slice());
    },
  };
  return store;
}

const drawn = (shape: Shape, seed: number) => float32(shape, normal(key(seed), sizeOf(shape)));

/** A step in miniature: its lowering turns the kernel w, folds a reshaped bias b, and takes the target as it is. */
function asked(change: Partial<Asked> & { readonly power?: 1 | 2; readonly seed?: number } = {}): Asked {
  const { power = 1, seed = 1, ...rest } = change;
  const [x, w, b] = [input("x", [2, 3, 8, 8]), input("w", [4, 3, 3, 3]), input("b", [4])];
  const mask = constant(drawn([1, 4, 1, 1], 9));
  const y = mul(relu(sub(conv(x, w, { padding: [1, 1] }), reshape(b, [1, 4, 1, 1]))), mask);
  const [g] = grad(sum(power === 1 ? square(y) : square(square(y))), [w]);
  const distance = sum(square(sub(g!, input("target", w.shape))));
  const bake = { w: drawn(w.shape, seed), b: drawn([4], 2), target: drawn(w.shape, 3) };
  return {
    outputs: { distance, dx: grad(distance, [x])[0]! },
    bake,
    weights: ["w", "b"],
    device: "cpu",
    threads: 1,
    ...rest,
  };
}

const sameFile = (a: Executable, b: Executable) => expect(a).toEqual(b);

describe("a kept program", () => {
  test("is the same file as a fresh one, and gives the same bits", async () => {
    const store = memory();
    const fresh = await assembleStored(asked(), store);
    sameFile(fresh, assembled(asked()));
    expect(store.hits).toBe(0);
    sameFile(await assembleStored(asked(), store), fresh);
    expect(store.hits).toBe(2); // where it is, and itself: the kernel's elements were turned while lowering
  });

  test("is found for other elements of what was not looked at, and completed with these", async () => {
    const store = memory();
    await assembleStored(asked(), store);
    const files = store.files.size;
    const other = asked({ bake: { ...asked().bake, target: drawn([4, 3, 3, 3], 7) } });
    sameFile(await assembleStored(other, store), assembled(other));
    expect(store.files.size).toBe(files);
  });

  test("is not taken for other elements of what was looked at", async () => {
    const store = memory();
    await assembleStored(asked(), store);
    const other = asked({ seed: 5 });
    sameFile(await assembleStored(other, store), assembled(other));
    sameFile(await assembleStored(asked(), store), assembled(asked()));
  });

  test("holds no baked tensor whose elements were not looked at", async () => {
    const store = memory();
    const target = float32([4, 3, 3, 3], new Array<number>(108).fill(1234.5));
    await assembleStored(asked({ bake: { ...asked().bake, target } }), store);
    const pattern = Buffer.from(target.data.buffer, 0, 16);
    expect([...store.files.values()].some((file) => Buffer.from(file).includes(pattern))).toBe(false);
  });
});

describe("what is not a weight", () => {
  /** Everything that a defence's mask and a norm make of a target, and of labels that are the graph's own. */
  const secretive = (target: Tensor, labels: Tensor, weights?: readonly string[]): Asked => {
    const [g, t, y] = [input("g", [9]), input("target", [9]), constant(labels)];
    const outputs = {
      masked: sum(mul(g, cast(greater(abs(t), 0)))),
      norm: mul(sum(square(t)), sum(g)),
      moved: mul(broadcastTo(reshape(mul(t, 3), [3, 3]), [2, 3, 3]), 2),
      target: mul(sub(t, abs(t)), g),
      labels: mul(g, abs(sub(y, 1))),
    };
    return { outputs, bake: { target }, device: "cpu", threads: 1, ...(weights && { weights }) };
  };
  const values = [1234.5, 0, -77.25, 0, 0, 31, -5.5, 8, 9.75];
  const target = float32([9], values);
  const labels = float32([9], [0.125, 0.625, 0.25, 9, 8, 7, 6, 5, 4]);
  const bytesOf = (numbers: readonly number[]) => Buffer.from(Float32Array.from(numbers).buffer);
  const made: readonly (readonly [string, Buffer])[] = [
    ["t", bytesOf(values.slice(0, 3))],
    ["|t|", bytesOf(values.slice(0, 3).map(Math.abs))],
    ["3·t", bytesOf(values.slice(0, 3).map((v) => 3 * v))],
    ["t ≠ 0 as floats", bytesOf(values.map((v) => +(v !== 0)))],
    ["t ≠ 0 as bools", Buffer.from(values.map((v) => +(v !== 0)))],
    ["t − |t|", bytesOf(values.map((v) => v - Math.abs(v)))],
    ["Σt²", bytesOf([values.reduce((s, v) => s + v * v, 0)])],
    ["labels", bytesOf(Array.from(labels.data))],
    ["|labels − 1|", bytesOf(Array.from(labels.data, (v) => Math.abs(v - 1)))],
  ];

  test.each([
    ["where weights are named", []],
    ["by default", undefined],
  ] as const)("leaves no trace: %s", async (_, w) => {
    const store = memory();
    const fresh = await assembleStored(secretive(target, labels, w), store);
    const files = [...store.files.values()].map((file) => Buffer.from(file));
    expect(files.length).toBe(1); // nothing was looked at
    expect(made.filter(([, pattern]) => files.some((file) => file.includes(pattern))).map(([what]) => what)).toEqual(
      [],
    );
    sameFile(await assembleStored(secretive(target, labels, w), store), fresh);
  });

  test("is no part of the key: one program serves all updates", async () => {
    const store = memory();
    await assembleStored(secretive(target, labels), store);
    const files = store.files.size;
    const other = secretive(drawn([9], 8), labels, []);
    sameFile(await assembleStored(other, store), assembled(other));
    expect(store.files.size).toBe(files);
  });

  test("is found in the file of a program that may look at it, so that these searches can fail", () => {
    const { bytes, external } = assembled(secretive(target, labels));
    const files = [bytes, ...external.map(({ data }) => data)].map((file) => Buffer.from(file));
    const found = made.filter(([, pattern]) => files.some((file) => file.includes(pattern))).map(([what]) => what);
    expect(found).toEqual(expect.arrayContaining(["|t|", "t − |t|", "Σt²"]));
  });

  test("is computed with at run time, to the same result", async () => {
    const { outputs, bake } = secretive(target, labels);
    const run = async (weights: readonly string[] | undefined) => {
      const program = await compile(outputs, { bake, weights, threads: 1 });
      const result = await program.run({ g: drawn([9], 2) });
      await program.release();
      return result;
    };
    const [open, closed] = [await run(undefined), await run([])];
    for (const name of Object.keys(outputs)) {
      for (const [i, v] of open[name]!.data.entries()) {
        expect(Math.abs(closed[name]!.data[i]! - v)).toBeLessThanOrEqual(1e-5 * Math.abs(v) + 1e-6); // float32 sums
      }
    }
  });
});

test("what is read from a disk, a Buffer, becomes aligned copies", async () => {
  const store = memory();
  await assembleStored(asked(), store);
  const entries = await Promise.all(
    [...store.files].map(([name, file]) => decodeEntry(name, Buffer.concat([Buffer.alloc(3), file]).subarray(3))),
  );
  const program = entries.find((entry) => entry?.kind === "program")!;
  const { bytes, external } = (program as Extract<typeof program, { kind: "program" }>).parts;
  for (const part of [bytes, ...external.map(({ data }) => data)]) {
    expect([part.byteOffset % 8, part.buffer.byteLength]).toEqual([0, part.length]); // nothing of the file stays with it
  }
});

describe("a key", () => {
  const keyFor = async (request: Asked, about = "here") => (await keyOf(request, about)).key;

  test("is that of the structure, whichever nodes stand for it", async () => {
    expect(await keyFor(asked())).toBe(await keyFor(asked({ seed: 4 })));
  });

  const others: readonly (readonly [what: string, other: () => Asked, about: string])[] = [
    ["another graph", () => asked({ power: 2 }), "here"],
    [
      "other names of outputs",
      () => asked({ outputs: { loss: asked().outputs.distance!, dx: asked().outputs.dx! } }),
      "here",
    ],
    ["fewer outputs", () => asked({ outputs: { dx: asked().outputs.dx! } }), "here"],
    ["another fixed tensor", () => ofConstant(2), "here"],
    ["fewer weights", () => asked({ weights: ["w"] }), "here"],
    ["less that is baked", () => asked({ bake: { w: asked().bake.w! } }), "here"],
    ["more threads", () => asked({ threads: 2 }), "here"],
    ["another device", () => asked({ device: "webgpu" }), "here"],
    ["another onnxruntime", () => asked(), "elsewhere"],
  ];
  test.each(others)("is another one for %s", async (what, other, about) => {
    const base = what === "another fixed tensor" ? ofConstant(1) : asked();
    expect(await keyFor(other(), about)).not.toBe(await keyFor(base));
  });

  test("tells 0 from −0 in an attribute that holds it", async () => {
    const of = (outputs: Record<string, Node>) => keyFor(asked({ outputs }));
    const x = input("x", [2]);
    expect(await of({ y: mul(x, 2) })).not.toBe(await of({ y: mul(x, 3) }));
    const odd = (value: number) => ({ ...mul(x, 2), attrs: { value } }) as Node;
    expect(await of({ y: odd(0) })).not.toBe(await of({ y: odd(-0) }));
  });
});

function ofConstant(seed: number): Asked {
  const x = input("x", [5]);
  return asked({ outputs: { y: mul(x, constant(drawn([5], seed))) }, bake: {} });
}

describe("a damaged file", () => {
  const damages: readonly (readonly [string, (file: Uint8Array) => Uint8Array])[] = [
    ["cut off", (file) => file.slice(0, file.length >> 1)],
    ["empty", () => new Uint8Array()],
    ["with one bit turned in its middle", (file) => file.map((byte, i) => (i === file.length >> 1 ? byte ^ 4 : byte))],
    ["with one bit turned at its end", (file) => file.map((byte, i) => (i === file.length - 1 ? byte ^ 1 : byte))],
    ["with one bit turned in its checksum", (file) => file.map((byte, i) => (i === 20 ? byte ^ 1 : byte))],
    ["longer than it was", (file) => Uint8Array.of(...file, 0)],
    ["of something else", () => new Uint8Array(5000).fill(65)],
  ];
  test.each(damages)("%s is not used, and written again", async (_, damage) => {
    const store = memory();
    const fresh = await assembleStored(asked(), store);
    const sound = new Map(store.files);
    for (const [name, file] of sound) store.files.set(name, damage(file));
    sameFile(await assembleStored(asked(), store), fresh);
    expect(store.files).toEqual(sound);
  });

  test("under another's name is not used", async () => {
    const store = memory();
    const other = asked({ power: 2 });
    await assembleStored(other, store);
    const wrong = [...store.files.values()];
    store.files.clear();
    const fresh = await assembleStored(asked(), store);
    for (const [i, name] of [...store.files.keys()].entries()) store.files.set(name, wrong[i]!);
    sameFile(await assembleStored(asked(), store), fresh);
  });
});

test("compile keeps what is worth it, and a kept program runs to the same bits", async () => {
  const small = memory();
  await (await compile(asked().outputs, { bake: asked().bake, store: small })).release();
  expect(small.files.size).toBe(0);

  const store = memory();
  const x = input("x", [6]);
  const many = Object.fromEntries(Array.from({ length: 350 }, (_, i) => [`y${i}`, mul(sub(x, i + 1), 1 / (i + 3))]));
  const run = async () => {
    const program = await compile(many, { store, threads: 1 });
    const result = await program.run({ x: drawn([6], 1) });
    await program.release();
    return result as Tensors;
  };
  const first = await run();
  expect(store.hits).toBe(0);
  expect(await run()).toEqual(first);
  expect(store.hits).toBe(1);
});
