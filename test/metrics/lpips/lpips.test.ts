import { describe, expect, test } from "vitest";
import { conv2d, input, maxPool, relu } from "../../../src/graph/index.ts";
import { alexnet, BACKBONES, type Backbone, squeezenet } from "../../../src/metrics/lpips/backbones.ts";
import { openLpips } from "../../../src/metrics/lpips/lpips.ts";
import { lpipsTensors, lpipsWeights } from "../../../src/metrics/lpips/weights.ts";
import { float32, type Shape, sizeOf, type Tensors } from "../../../src/tensor/index.ts";
import { disturbed, noise } from "../images.ts";
import { madeUpWeights } from "./weights-of.ts";

/** Two convolutions with a max-pooling between, small enough to be followed by hand. */
const tiny: Backbone = {
  name: "tiny",
  source: "this test",
  mark: "features.0.weight",
  taps: (ask, x) => {
    const first = relu(conv2d(x, ask("features.0.weight", [4, 3, 3, 3]), ask("features.0.bias", [4]), { padding: 1 }));
    const pooled = maxPool(first, { kernel: [2, 2], stride: [2, 2], padding: [0, 0] });
    const second = relu(conv2d(pooled, ask("features.3.weight", [5, 4, 1, 1]), ask("features.3.bias", [5])));
    return [first, second];
  },
};

/** The same distance in plain loops and float64: the release's formula, its constants written out. */
function byHand(weights: Tensors<"float32">, a: Float32Array, b: Float32Array, side: number): number {
  type Planes = number[][][]; // [C][H][W]
  const planes = (data: Float32Array): Planes =>
    [0, 1, 2].map((c) =>
      Array.from({ length: side }, (_, y) =>
        Array.from({ length: side }, (_, x) => {
          const pixel = 2 * data[(c * side + y) * side + x]! - 1;
          return (pixel - [-0.03, -0.088, -0.188][c]!) / [0.458, 0.448, 0.45][c]!;
        }),
      ),
    );
  const conv = (h: Planes, name: string, kernel: number): Planes => {
    const { data: w, shape } = weights[`${name}.weight`]!;
    const { data: bias } = weights[`${name}.bias`]!;
    const reach = (kernel - 1) / 2;
    return Array.from({ length: shape[0]! }, (_, o) =>
      h[0]!.map((row, y) =>
        row.map((_, x) => {
          let sum = bias[o]!;
          for (let c = 0; c < h.length; c++) {
            for (let dy = 0; dy < kernel; dy++) {
              for (let dx = 0; dx < kernel; dx++) {
                const pixel = h[c]![y + dy - reach]?.[x + dx - reach] ?? 0;
                sum += w[((o * h.length + c) * kernel + dy) * kernel + dx]! * pixel;
              }
            }
          }
          return Math.max(0, sum);
        }),
      ),
    );
  };
  const pool = (h: Planes): Planes =>
    h.map((plane) =>
      Array.from({ length: side / 2 }, (_, y) =>
        Array.from({ length: side / 2 }, (_, x) =>
          Math.max(
            plane[2 * y]![2 * x]!,
            plane[2 * y]![2 * x + 1]!,
            plane[2 * y + 1]![2 * x]!,
            plane[2 * y + 1]![2 * x + 1]!,
          ),
        ),
      ),
    );
  const taps = (data: Float32Array) => {
    const first = conv(planes(data), "features.0", 3);
    return [first, conv(pool(first), "features.3", 1)];
  };
  const [left, right] = [taps(a), taps(b)];
  return [0, 1].reduce((total, l) => {
    const lin = weights[`lin${l}.model.1.weight`]!.data;
    const [p, q] = [left[l]!, right[l]!];
    let sum = 0;
    for (let y = 0; y < p[0]!.length; y++) {
      for (let x = 0; x < p[0]!.length; x++) {
        const norm = (h: Planes) => Math.sqrt(h.reduce((s, plane) => s + plane[y]![x]! ** 2, 0)) + 1e-10;
        for (let c = 0; c < p.length; c++) sum += lin[c]! * (p[c]![y]![x]! / norm(p) - q[c]![y]![x]! / norm(q)) ** 2;
      }
    }
    return total + sum / p[0]!.length ** 2;
  }, 0);
}

const CPU = { device: "cpu", threads: 1 } as const;
const TOLERANCE = 1e-5; // float32 activations of order 1: rounding of 1e-7 times a few dozen terms

describe("lpips", () => {
  test("is the release's formula, followed by hand on a small network", async () => {
    const tensors = madeUpWeights(tiny, 1);
    const a = noise([11, 3, 8, 8], 2); // 11: more than one run of the program
    const b = disturbed(a, 0.3, 3);
    const lpips = await openLpips({ backbone: tiny, tensors }, { imageShape: [3, 8, 8], ...CPU });
    const found = await lpips.distances(a, b);
    expect(found.length).toBe(11);
    for (const [m, distance] of found.entries()) {
      const image = (images: typeof a) => images.data.subarray(m * 192, (m + 1) * 192);
      const expected = byHand(tensors, image(a), image(b), 8);
      expect(expected).toBeGreaterThan(0.01);
      expect(Math.abs(distance - expected)).toBeLessThan(TOLERANCE);
    }
    expect(await lpips.distances(a, a)).toEqual(new Array(11).fill(0));
    const back = await lpips.distances(b, a);
    back.forEach((distance, m) => {
      expect(Math.abs(distance - found[m]!)).toBeLessThan(TOLERANCE);
    });
    await lpips.release();
  });

  test("of a grey image is that of three equal channels", async () => {
    const weights = { backbone: tiny, tensors: madeUpWeights(tiny, 1) };
    const [a, b] = [noise([2, 1, 8, 8], 4), noise([2, 1, 8, 8], 5)];
    const coloured = ({ data }: typeof a) =>
      float32(
        [2, 3, 8, 8],
        Array.from({ length: 384 }, (_, i) => data[Math.floor(i / 192) * 64 + (i % 64)]!),
      );
    const grey = await openLpips(weights, { imageShape: [1, 8, 8], ...CPU });
    const colour = await openLpips(weights, { imageShape: [3, 8, 8], ...CPU });
    expect(await grey.distances(a, b)).toEqual(await colour.distances(coloured(a), coloured(b)));
    await Promise.all([grey.release(), colour.release()]);
  });

  test.each([
    [alexnet, 31],
    [squeezenet, 17],
  ])("on $name grows with the noise, down to its smallest image", async (backbone, side) => {
    const weights = { backbone, tensors: madeUpWeights(backbone, 6) };
    const a = noise([1, 3, side, side], 7);
    const lpips = await openLpips(weights, { imageShape: [3, side, side], ...CPU });
    const [little] = await lpips.distances(a, disturbed(a, 0.02, 8));
    const [much] = await lpips.distances(a, disturbed(a, 0.3, 8));
    expect(little).toBeGreaterThan(0);
    expect(much).toBeGreaterThan(3 * little!);
    await lpips.release();
    await expect(openLpips(weights, { imageShape: [3, side - 1, side - 1], ...CPU })).rejects.toThrow(
      `lpips: images must be large enough for ${backbone.name}; got ${side - 1} × ${side - 1} pixels`,
    );
  });

  test("refuses images of four channels", async () => {
    const weights = { backbone: tiny, tensors: madeUpWeights(tiny, 1) };
    await expect(openLpips(weights, { imageShape: [4, 8, 8], ...CPU })).rejects.toThrow(
      "lpips: images must have 3 channels",
    );
  });
});

describe("the backbones", () => {
  const count = (backbone: Backbone, which: RegExp) =>
    lpipsTensors(backbone)
      .filter(({ name }) => which.test(name))
      .reduce((sum, { shape }) => sum + sizeOf(shape), 0);

  test("have torchvision's tensors and the release's linear weights", () => {
    expect(count(alexnet, /^features/)).toBe(2_469_696); // 61,100,840 of torchvision's alexnet less its classifier's 58,631,144
    expect(count(squeezenet, /^features/)).toBe(722_496); // 1,235,496 of squeezenet1_1 less its classifier's 513,000
    expect(count(alexnet, /^lin/)).toBe(64 + 192 + 384 + 256 + 256);
    expect(count(squeezenet, /^lin/)).toBe(64 + 128 + 256 + 384 + 384 + 512 + 512);
    expect(lpipsTensors(squeezenet).map(({ name }) => name)).toContain("features.3.expand3x3.bias");
  });

  test("SqueezeNet's pooling rounds sizes up", () => {
    const shapes: Shape[] = [];
    const taps = squeezenet.taps((name, shape) => input(name, shape), input("x", [1, 3, 64, 64]));
    shapes.push(...taps.map(({ shape }) => shape));
    expect(shapes.map((shape) => shape[2])).toEqual([31, 15, 7, 3, 3, 3, 3]);
    const odd = squeezenet.taps((name, shape) => input(name, shape), input("x", [1, 3, 33, 33]));
    expect(odd.map(({ shape }) => shape[2])).toEqual([16, 8, 4, 2, 2, 2, 2]);
  });
});

/** The same arrays under the same names: float32 is handed on as it is. */
function expectSame(found: Tensors, expected: Tensors): void {
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  for (const [name, { data }] of Object.entries(expected)) expect(found[name]!.data === data, name).toBe(true);
}

describe("lpips weights from a file", () => {
  const tensors = madeUpWeights(alexnet, 9);
  const changed = (change: (all: Record<string, Tensors<"float32">[string]>) => void) => {
    const all = { ...tensors };
    change(all);
    return all;
  };

  test.each(BACKBONES)("$name is told by its tensors; the classifier is passed over", (backbone) => {
    const own = madeUpWeights(backbone, 9);
    const file = { ...own, "classifier.1.weight": float32([1], [0]), "scaling_layer.shift": float32([1], [0]) };
    const found = lpipsWeights(file, "f");
    expect(found.backbone).toBe(backbone);
    expectSame(found.tensors, own);
  });

  test("the names of the release's whole network do too", () => {
    const slices: Record<string, number> = { 0: 1, 3: 2, 6: 3, 8: 4, 10: 5 };
    const renamed = Object.fromEntries(
      Object.entries(tensors).flatMap(([name, tensor]): (readonly [string, typeof tensor])[] => {
        const index = /^features\.(\d+)\.(.*)$/.exec(name);
        if (index) return [[`net.slice${slices[index[1]!]}.${index[1]}.${index[2]}`, tensor]];
        return [
          [name, tensor],
          [`lins.${name[3]}.model.1.weight`, tensor],
        ];
      }),
    );
    expectSame(lpipsWeights(renamed, "f").tensors, tensors);
  });

  test("a file says what is missing, left over and of another shape", () => {
    expect(() =>
      lpipsWeights(
        changed((all) => {
          delete all["features.0.bias"];
          all["features.0.bais"] = tensors["features.0.bias"]!;
          all["lin1.model.1.weight"] = float32([1, 191, 1, 1], new Array(191).fill(0));
        }),
        "f",
      ),
    ).toThrow(
      'lpips weights alexnet in f: the files together must hold the 15 tensors of LPIPS; got missing features.0.bias; not of LPIPS features.0.bais; of another shape: lin1.model.1.weight [1,191,1,1] instead of [1,192,1,1]. Should "features.0.bais" be "features.0.bias"?',
    );
  });

  test("a backbone alone asks for the linear weights", () => {
    const backbone = Object.fromEntries(Object.entries(tensors).filter(([name]) => name.startsWith("features")));
    expect(() => lpipsWeights(backbone, "f")).toThrow(
      /missing lin0\.model\.1\.weight, .* and 1 more\. The linear weights/,
    );
  });

  test("a file of something else, and numbers that are none", () => {
    expect(() => lpipsWeights({ "conv1.weight": float32([1], [0]) }, "f")).toThrow(
      "lpips weights f: the tensors must be those of alexnet (features.10.weight …) or squeezenet (features.12.squeeze.weight …); got conv1.weight.",
    );
    expect(() => lpipsWeights({}, "f")).toThrow("got no tensor");
    const broken = changed((all) => {
      all["features.6.bias"] = float32([384], new Array(384).fill(Number.NaN));
    });
    expect(() => lpipsWeights(broken, "f")).toThrow("finite in float32; got NaN or infinity in features.6.bias");
  });
});
