import { describe, expect, it } from "vitest";
import { median } from "../../src/attacks/index.ts";
import { finisher } from "../../src/attacks/postprocess.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key, uniform } from "../../src/util/index.ts";

describe("median", () => {
  it("is the middle of the window, the border repeated", () => {
    const image = float32([1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    // corner: 1 1 2 / 1 1 2 / 4 4 5 → 2; centre: 5; right edge: 2 3 3 / 5 6 6 / 8 9 9 → 6
    expect(Array.from(median(image, 3).data)).toEqual([2, 3, 3, 4, 5, 6, 7, 7, 8]);
  });

  it("removes a lone pixel and keeps a flat image and a straight edge", () => {
    const lone = new Float32Array(49).fill(0.25);
    lone[24] = 1;
    expect(new Set(median(float32([1, 1, 7, 7], lone), 5).data)).toEqual(new Set([0.25]));
    const edge = Float32Array.from({ length: 64 }, (_, i) => (i % 8 < 4 ? 0 : 1));
    expect(median(float32([1, 1, 8, 8], edge), 5).data).toEqual(edge);
  });

  it("treats images and channels apart", () => {
    const images = float32([2, 3, 6, 6], uniform(key(4), 216));
    const together = median(images, 5);
    for (let plane = 0; plane < 6; plane++) {
      const alone = median(float32([1, 1, 6, 6], images.data.slice(plane * 36, plane * 36 + 36)), 5);
      expect(together.data.slice(plane * 36, plane * 36 + 36)).toEqual(alone.data);
    }
  });

  it("leaves its argument alone", () => {
    const image = float32([1, 1, 3, 3], [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    median(image, 3);
    expect(Array.from(image.data)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
  });
});

describe("finisher", () => {
  const image = float32([1, 1, 3, 3], [-5, 0.5, 0.5, 0.5, 9, 0.5, 0.5, 0.5, 0.5]);
  const finish = (settings: { medianFilter: number; medianFilterFrom: number }) =>
    finisher(
      { ...settings, restore: false, stretch: false },
      { shape: image.shape, prior: undefined, options: {}, contrastHidden: false },
    ).images(image);

  it("clamps to [0,1] first, then filters when asked", async () => {
    const plain = await finish({ medianFilter: 0, medianFilterFrom: 1 });
    expect(Array.from(plain.data)).toEqual([0, 0.5, 0.5, 0.5, 1, 0.5, 0.5, 0.5, 0.5]);
    expect((await finish({ medianFilter: 3, medianFilterFrom: 3 })).data[4]).toBe(0.5);
    expect((await finish({ medianFilter: 3, medianFilterFrom: 4 })).data[4]).toBe(plain.data[4]);
  });

  it("says what restore needs", () => {
    const settings = { medianFilter: 0, medianFilterFrom: 1, restore: true, stretch: false };
    expect(() =>
      finisher(settings, { shape: image.shape, prior: undefined, options: {}, contrastHidden: false }),
    ).toThrow("needs a prior");
  });
});
