import { describe, expect, test } from "vitest";
import { conv, convInput, convWeight, input, type Node } from "../../src/graph/index.ts";
import { compile, evaluate } from "../../src/runtime/index.ts";
import { winogradPays } from "../../src/runtime/lower/winograd.ts";
import { float64, sizeOf } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";
import { nmse } from "../op-check.ts";
import { TOLERANCE } from "../tolerances.ts";

type Quad = readonly [number, number, number, number];
type Options = Parameters<typeof conv>[2];
interface Case {
  readonly about: string;
  readonly x: Quad;
  readonly w: Quad;
  readonly options?: Options;
  readonly pays?: false;
}

const K = 64; // channels: the fewest for which it is used, as 16 tiles of 4 × 4 are the fewest pixels
const SAME = { padding: 1 };
const CASES: readonly Case[] = [
  { about: "one tile an image", x: [16, K, 4, 4], w: [K, K, 3, 3] },
  { about: "two rows of tiles", x: [4, K, 8, 8], w: [K, K, 3, 3] },
  { about: "other channels out", x: [4, K + 3, 8, 8], w: [K + 1, K + 3, 3, 3] },
  { about: "three rows, one column", x: [6, K, 12, 4], w: [K, K, 3, 3] },
  { about: "the last height of bands", x: [1, K, 16, 16], w: [K, K, 3, 3] },
  { about: "whole images below each other", x: [3, K, 20, 8], w: [K, K, 3, 3] },
  { about: "one row of tiles, five columns", x: [4, K, 4, 20], w: [K, K, 3, 3] },
  { about: "fewer tiles", x: [15, K, 4, 4], w: [K, K, 3, 3], pays: false },
  { about: "fewer channels in", x: [16, K - 1, 4, 4], w: [K, K - 1, 3, 3], pays: false },
  { about: "fewer channels out", x: [16, K, 4, 4], w: [K - 1, K, 3, 3], pays: false },
  { about: "odd rows", x: [16, K, 5, 4], w: [K, K, 3, 3], pays: false },
  { about: "half a tile of columns", x: [16, K, 4, 6], w: [K, K, 3, 3], pays: false },
  { about: "stride 2", x: [4, K, 8, 8], w: [K, K, 3, 3], options: { ...SAME, stride: 2 }, pays: false },
  { about: "no padding", x: [4, K, 8, 8], w: [K, K, 3, 3], options: {}, pays: false },
  { about: "dilation 2", x: [4, K, 8, 8], w: [K, K, 3, 3], options: { ...SAME, dilation: 2 }, pays: false },
  { about: "groups", x: [4, 2 * K, 8, 8], w: [2 * K, K, 3, 3], options: { ...SAME, groups: 2 }, pays: false },
  { about: "a 1×3 window", x: [4, K, 8, 8], w: [K, K, 1, 3], options: { padding: [0, 1] }, pays: false },
];

describe.each(CASES)("$about", ({ x: xShape, w: wShape, options = SAME, pays = true }) => {
  const [x, w] = [input("x", xShape), input("w", wShape)];
  const y = conv(x, w, options);
  const g = input("g", y.shape);
  const outputs = {
    y,
    dx: convInput(g, w, [xShape[2], xShape[3]], options),
    dw: convWeight(x, g, [wShape[2], wShape[3]], options),
  };

  test(pays ? "takes Winograd's form" : "takes the plain form", () => {
    expect(winogradPays(x.shape, w.shape, y.attrs as Parameters<typeof winogradPays>[2])).toBe(pays);
  });

  test("gives what the reference gives, all three at once and each alone", async () => {
    const feeds = Object.fromEntries([x, w, g].map((node, i) => [String(node.attrs.name), random(node, i)]));
    const reference = evaluate(outputs, feeds);
    const all = ["y", "dx", "dw"] as const;
    for (const names of pays ? [all, ...all.map((name) => [name])] : [all]) {
      const program = await compile(Object.fromEntries(names.map((name) => [name, outputs[name]])), { threads: 1 });
      const got = await program.run(feeds);
      await program.release();
      for (const name of names) {
        expect(nmse(got[name]!.data, reference[name]!.data as Float64Array), name).toBeLessThan(
          TOLERANCE.contractionNmse,
        );
      }
    }
  });
});

test("the same numbers give the same bits", async () => {
  const [x, w] = [input("x", [16, K, 4, 4]), input("w", [K, K, 3, 3])];
  const feeds = { x: random(x, 0), w: random(w, 1) };
  const runs = [];
  for (let i = 0; i < 2; i++) {
    const program = await compile({ y: conv(x, w, SAME) }, { threads: 2 });
    runs.push((await program.run(feeds)).y!.data);
    await program.release();
  }
  expect(runs[0]).toEqual(runs[1]);
});

function random(node: Node, seed: number) {
  return float64(node.shape, normal(key(seed), sizeOf(node.shape)));
}
