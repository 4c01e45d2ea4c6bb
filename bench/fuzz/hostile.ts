/** Files that were thought out to cost as much as they can: time by their graph, memory by what they claim. */
import { encodeModel } from "../../src/runtime/index.ts";
import type { Format } from "./subjects.ts";
import { npz } from "./zip.ts";

export async function hostileFiles(): Promise<readonly { readonly format: Format; readonly bytes: Uint8Array }[]> {
  const zeros = new Uint8Array(1 << 25);
  const tiny = npy("(1,)", new Uint8Array(4));
  return [
    ...onnxFiles().map((bytes) => ({ format: "onnx" as const, bytes })),
    { format: "npz", bytes: await npz([["a.npy", zeros]], true) }, // 32 MiB of zeros that are no array
    { format: "npz", bytes: await npz([["a.npy", joined(tiny, zeros)]], true) }, // … behind an array of one number
    {
      format: "npz",
      bytes: await npz([["a.npy", npy(`(${"1,".repeat(20_000)}250000)`, new Uint8Array(1_000_000), true)]], true),
    },
    {
      format: "npz",
      bytes: await npz(
        Array.from({ length: 3000 }, (_, i) => [`a${i}`, new Uint8Array()]),
        false,
      ),
    },
    {
      format: "safetensors",
      bytes: headed(`{"a":{"dtype":"F32","shape":${"[".repeat(200_000)}${"]".repeat(200_000)},"data_offsets":[0,0]}}`),
    },
    { format: "safetensors", bytes: headed(`{"a":[${"[],".repeat(300_000)}[]]}`) },
    { format: "safetensors", bytes: headed(`{${Array.from({ length: 40_000 }, (_, i) => `"${i}":0`)}}`) },
    {
      format: "safetensors",
      bytes: headed(`{"a":{"dtype":"U8","shape":[${"1,".repeat(100_000)}0],"data_offsets":[0,0]}}`),
    },
  ];
}

interface NodeOf {
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute?: readonly object[];
}

function onnxFiles(): Uint8Array[] {
  const chain = (count: number, of: (from: string, to: string) => NodeOf, ...first: NodeOf[]) => [
    ...first,
    ...Array.from({ length: count }, (_, i) => of(`v${i}`, i === count - 1 ? "y" : `v${i + 1}`)),
  ];
  const op = (opType: string, input: string[], output: string, attribute: object[] = []): NodeOf => ({
    opType,
    input,
    output: [output],
    attribute,
  });
  const ints = (name: string, values: readonly number[]) => ({ name, ints: values, type: 7 });
  const start = (...input: string[]) => op("Identity", input, "v0");
  const big = op("ConstantOfShape", ["wide"], "v0");
  return [
    chain(6000, (from, to) => op("Neg", [from], to), big), // each would be worked out
    chain(6000, (from, to) => op("Add", [from, from], to), start("x")),
    chain(40, (from, to) => op("Concat", [from, from], to, [{ name: "axis", i: 1, type: 2 }]), start("x")),
    chain(3000, (_, to) => op("Range", ["zero", "many", "one"], to), start("x")),
    chain(2000, (from, to) => op("Erf", [from], to), start("x")),
    [op("ConstantOfShape", ["square"], "k"), op("Conv", ["k", "k"], "y", [ints("pads", [128, 128, 128, 128])])],
    [
      op("ConstantOfShape", ["matrix"], "k"),
      ...chain(800, (from, to) => op("MatMul", [from, "k"], to), op("Identity", ["k"], "v0")),
    ],
    [op("Pad", ["x", "around"], "y", [{ name: "mode", s: new TextEncoder().encode("reflect"), type: 3 }])],
    [op("Reshape", ["one", "ones"], "v0"), op("Add", ["x", "v0"], "y")],
    chain(3000, (from, to) => op("Identity", [from], to), start("y")), // a circle
    Array.from({ length: 20_000 }, (_, i) => op("", [], `n${i}`)),
    Array.from({ length: 4000 }, (_, i) => op("Relu", ["x"], `n${i}`)),
  ].map((node, i) => {
    const list = (name: string, values: readonly number[]) => ({
      name,
      dims: [values.length],
      dataType: 7,
      rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
    });
    const scalar = (name: string, value: number) => ({ ...list(name, [value]), dims: [] });
    const initializer = [
      list("wide", [65_536]),
      list("square", [1, 1, 256, 256]),
      list("matrix", [256, 256]),
      list("around", [0, 5, 0, 5]),
      list("ones", new Array(5000).fill(1)),
      ...[scalar("zero", 0), scalar("one", 1), scalar("many", 65_536)],
    ];
    const dim = [1, i === 7 ? 2 ** 30 : 4].map((dimValue) => ({ dimValue }));
    const output = i === 11 ? node.map(({ output: [name] }) => ({ name })) : [{ name: "y" }];
    const graph = {
      node,
      initializer,
      input: [{ name: "x", type: { tensorType: { elemType: 1, shape: { dim } } } }],
      output,
    };
    return encodeModel({ opsetImport: [{ domain: "", version: 17 }], graph });
  });
}

function npy(shape: string, data: Uint8Array, fortran = false): Uint8Array {
  const text = `{'descr': '<f4', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': ${shape}, }\n`;
  const head = new TextEncoder().encode(text);
  return joined(
    Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, head.length & 255, head.length >> 8),
    head,
    data,
  );
}

function headed(json: string): Uint8Array {
  const head = new Uint8Array(8);
  const text = new TextEncoder().encode(json);
  new DataView(head.buffer).setBigUint64(0, BigInt(text.length), true);
  return joined(head, text);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
