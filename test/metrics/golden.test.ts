import { readFileSync } from "node:fs";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { type Images, psnrDb, ssim } from "../../src/metrics/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { sharedPath } from "../shared.ts";

const folder = sharedPath("golden/metrics");
if (folder === undefined)
  console.warn("skipped: ../shared/golden/metrics is absent, so scikit-image's numbers are too");

interface Golden {
  readonly a: string;
  readonly b: string;
  readonly psnr: number;
  readonly ssim: number;
}

const PSNR_TOLERANCE_DB = 1e-5; // pixels are float32 here and float64 there: 6e-8 relative, times 20/ln 10, times head room
const SSIM_TOLERANCE = 1e-6; // same cause; the smallest denominator is C2 = 9e-4, against pixel errors of 6e-8

describe.skipIf(folder === undefined)("scikit-image's numbers", () => {
  const rows: Golden[] = folder === undefined ? [] : JSON.parse(readFileSync(`${folder}/metrics.json`, "utf8"));

  test("there are some", () => {
    expect(rows.length).toBeGreaterThanOrEqual(30);
  });

  test.each(rows)("$a against $b", async (row) => {
    const [a, b] = [await readImage(`${folder}/${row.a}`), await readImage(`${folder}/${row.b}`)];
    expect(Math.abs(psnrDb(a, b)[0]! - row.psnr)).toBeLessThan(PSNR_TOLERANCE_DB);
    expect(Math.abs(ssim(a, b)[0]! - row.ssim)).toBeLessThan(SSIM_TOLERANCE);
  });
});

/** A PNG as [1,3,H,W] in [0,1]. */
async function readImage(path: string): Promise<Images> {
  const { data, info } = await sharp(path)
    .removeAlpha()
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  const area = info.width * info.height;
  const planes = Float32Array.from({ length: 3 * area }, (_, i) => data[(i % area) * 3 + Math.floor(i / area)]! / 255);
  return float32([1, 3, info.height, info.width], planes);
}
