import { describe, expect, test } from "vitest";
import { conv, convInput, input, type Node } from "../../src/graph/index.ts";
import { compile, evaluate } from "../../src/runtime/index.ts";
import { tallPays } from "../../src/runtime/lower/tall.ts";
import { float64, sizeOf } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";
import { nmse } from "../op-check.ts";
import { TOLERANCE } from "../tolerances.ts";

type Pair = readonly [number, number];
interface Case {
  readonly about: string;
  readonly x: readonly [number, number, number, number];
  readonly w: readonly [number, number, number, number];
  readonly options: {
    readonly stride?: Pair;
    readonly padding?: Pair;
    readonly dilation?: Pair;
    readonly groups?: number;
  };
  readonly tall: { readonly forward: boolean; readonly transposed: boolean };
}

// 2^18 = 512·512 weights are the boundary; 4 and 16 pixels on the side with fewer.
const CASES: readonly Case[] = [
  {
    about: "one row a window reaches",
    x: [3, 64, 2, 2],
    w: [456, 64, 3, 3],
    options: { padding: [1, 1] },
    tall: both(true),
  },
  {
    about: "stride 2",
    x: [2, 64, 4, 4],
    w: [512, 64, 3, 3],
    options: { stride: [2, 2], padding: [1, 1] },
    tall: both(true),
  },
  {
    about: "stride 2, odd",
    x: [2, 64, 3, 4],
    w: [512, 64, 3, 3],
    options: { stride: [2, 2], padding: [1, 1] },
    tall: both(true),
  },
  {
    about: "rows to spare",
    x: [2, 64, 6, 2],
    w: [512, 64, 3, 3],
    options: { stride: [4, 1], padding: [1, 1] },
    tall: both(true),
  },
  {
    about: "dilated",
    x: [2, 64, 3, 1],
    w: [512, 64, 3, 3],
    options: { padding: [2, 2], dilation: [2, 2] },
    tall: both(true),
  },
  { about: "no padding", x: [3, 64, 4, 4], w: [512, 64, 3, 3], options: {}, tall: both(true) },
  { about: "1×1, stride 2", x: [3, 512, 3, 3], w: [512, 512, 1, 1], options: { stride: [2, 2] }, tall: both(true) },
  { about: "a 5×3 window", x: [2, 40, 2, 2], w: [512, 40, 5, 3], options: { padding: [2, 1] }, tall: both(true) },
  {
    about: "4 × 4 pixels",
    x: [2, 64, 4, 4],
    w: [456, 64, 3, 3],
    options: { padding: [1, 1] },
    tall: { forward: false, transposed: true },
  },
  { about: "5 × 4 pixels", x: [2, 64, 5, 4], w: [456, 64, 3, 3], options: { padding: [1, 1] }, tall: both(false) },
  { about: "one image", x: [1, 64, 2, 2], w: [456, 64, 3, 3], options: { padding: [1, 1] }, tall: both(false) },
  { about: "fewer weights", x: [2, 64, 2, 2], w: [455, 64, 3, 3], options: { padding: [1, 1] }, tall: both(false) },
  {
    about: "groups",
    x: [2, 128, 2, 2],
    w: [456, 64, 3, 3],
    options: { padding: [1, 1], groups: 2 },
    tall: both(false),
  },
  {
    about: "windows beside the image",
    x: [2, 512, 1, 1],
    w: [512, 512, 1, 1],
    options: { padding: [1, 1], stride: [2, 2] },
    tall: both(false),
  },
];

describe.each(CASES)("$about", ({ x: xShape, w: wShape, options, tall }) => {
  const [x, w] = [input("x", xShape), input("w", wShape)];
  const y = conv(x, w, options);
  const g = input("g", y.shape);
  const back = convInput(g, w, [xShape[2], xShape[3]], options);
  const feeds = Object.fromEntries([x, w, g].map((node, i) => [String(node.attrs.name), random(node, i)]));

  test("takes the form that its size says", () => {
    const attrs = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1, ...options } as const;
    expect(tallPays("forward", y.shape, w.shape, attrs)).toBe(tall.forward);
    expect(tallPays("transposed", g.shape, w.shape, attrs)).toBe(tall.transposed);
  });

  test("gives what the reference gives, with weights fed and baked", async () => {
    const outputs = { y, back };
    const reference = evaluate(outputs, feeds);
    for (const bake of [{}, { w: feeds.w! }]) {
      const program = await compile(outputs, { bake, threads: 1 });
      const got = await program.run(feeds);
      await program.release();
      for (const name of ["y", "back"] as const) {
        expect(nmse(got[name]!.data, reference[name]!.data as Float64Array), name).toBeLessThan(
          TOLERANCE.contractionNmse,
        );
      }
    }
  });
});

function both(pays: boolean): Case["tall"] {
  return { forward: pays, transposed: pays };
}

function random(node: Node, seed: number) {
  return float64(node.shape, normal(key(seed), sizeOf(node.shape)));
}
