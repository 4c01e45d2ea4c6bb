import { describe, expect, test } from "vitest";
import { conv, convInput, convWeight, input, type Node } from "../../src/graph/index.ts";
import { compile, evaluate } from "../../src/runtime/index.ts";
import { columnsPay, columnsServeBoth } from "../../src/runtime/lower/columns.ts";
import { lower } from "../../src/runtime/lower/index.ts";
import { float64, sizeOf } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";
import { nmse } from "../op-check.ts";
import { TOLERANCE } from "../tolerances.ts";

type Quad = readonly [number, number, number, number];
type Pair = readonly [number, number];
interface Case {
  readonly about: string;
  readonly x: Quad;
  readonly w: Quad;
  readonly options: {
    readonly stride?: Pair;
    readonly padding?: Pair;
    readonly dilation?: Pair;
    readonly groups?: number;
  };
  readonly columns: { readonly weight: boolean; readonly both: boolean };
}

const CASES: readonly Case[] = [
  {
    about: "3×3, stride 2",
    x: [2, 16, 8, 8],
    w: [17, 16, 3, 3],
    options: { stride: [2, 2], padding: [1, 1] },
    columns: is(true),
  },
  {
    about: "odd rows, no padding",
    x: [3, 17, 7, 6],
    w: [16, 17, 3, 3],
    options: { stride: [2, 2] },
    columns: is(true),
  },
  {
    about: "1×1, a row left over",
    x: [2, 19, 5, 4],
    w: [18, 19, 1, 1],
    options: { stride: [2, 2] },
    columns: is(true),
  },
  {
    about: "stride along rows alone",
    x: [2, 16, 9, 4],
    w: [16, 16, 2, 3],
    options: { stride: [3, 1], padding: [0, 1] },
    columns: is(true),
  },
  {
    about: "dilated",
    x: [1, 16, 9, 9],
    w: [16, 16, 3, 3],
    options: { stride: [2, 2], dilation: [2, 2], padding: [2, 2] },
    columns: is(true),
  },
  {
    about: "5×5",
    x: [2, 16, 8, 8],
    w: [16, 16, 5, 5],
    options: { stride: [2, 2], padding: [2, 2] },
    columns: { weight: true, both: false },
  },
  { about: "stride 1", x: [2, 16, 6, 6], w: [16, 16, 3, 3], options: { padding: [1, 1] }, columns: is(false) },
  {
    about: "fewer channels in",
    x: [2, 15, 8, 8],
    w: [16, 15, 3, 3],
    options: { stride: [2, 2], padding: [1, 1] },
    columns: is(false),
  },
  {
    about: "fewer channels out",
    x: [2, 16, 8, 8],
    w: [15, 16, 3, 3],
    options: { stride: [2, 2], padding: [1, 1] },
    columns: is(false),
  },
  {
    about: "groups",
    x: [2, 32, 6, 6],
    w: [32, 16, 3, 3],
    options: { stride: [2, 2], padding: [1, 1], groups: 2 },
    columns: is(false),
  },
];

describe.each(CASES)("$about", ({ x: xShape, w: wShape, options, columns }) => {
  const [x, w] = [input("x", xShape), input("w", wShape)];
  const y = conv(x, w, options);
  const g = input("g", y.shape);
  const outputs = {
    y,
    dx: convInput(g, w, [xShape[2], xShape[3]], options),
    dw: convWeight(x, g, [wShape[2], wShape[3]], options),
  };

  test("takes the form that its stride and kernel say", () => {
    const attrs = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1, ...options } as const;
    expect(columnsPay(w.shape, attrs)).toBe(columns.weight);
    expect(columnsServeBoth(w.shape, attrs)).toBe(columns.both);
  });

  test("gives what the reference gives, with weights fed and baked", async () => {
    const feeds = Object.fromEntries([x, w, g].map((node, i) => [String(node.attrs.name), random(node, i)]));
    const reference = evaluate(outputs, feeds);
    for (const bake of [{}, { w: feeds.w! }]) {
      const program = await compile(outputs, { bake, threads: 1 });
      const got = await program.run(feeds);
      await program.release();
      for (const name of ["y", "dx", "dw"] as const) {
        expect(nmse(got[name]!.data, reference[name]!.data as Float64Array), name).toBeLessThan(
          TOLERANCE.contractionNmse,
        );
      }
    }
  });
});

test("forward pass and gradient by the weight share their columns; WebGPU has no Col2Im", () => {
  const [x, w] = [input("x", [2, 16, 8, 8]), input("w", [17, 16, 3, 3])];
  const options = { stride: 2, padding: 1 };
  const g = input("g", [2, 17, 4, 4]);
  const outputs = {
    y: conv(x, w, options),
    dw: convWeight(x, g, [3, 3], options),
    dx: convInput(g, w, [8, 8], options),
  };
  const kinds = (device: "cpu" | "webgpu") =>
    lower(outputs, {}, undefined, { device, threads: 1 }).graph.node.map(({ opType }) => opType);
  expect(kinds("cpu").filter((kind) => kind === "Conv")).toHaveLength(1);
  expect(kinds("cpu")).toContain("Col2Im");
  expect(kinds("webgpu")).not.toContain("Col2Im");
});

function is(both: boolean): Case["columns"] {
  return { weight: both, both };
}

function random(node: Node, seed: number) {
  return float64(node.shape, normal(key(seed), sizeOf(node.shape)));
}
