import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { beforeEach, expect, test } from "vitest";
import {
  byteFromUnit,
  decodeImage,
  encodePng,
  gridPng,
  listImageFolder,
  readImageFolder,
  readImages,
} from "../../src/data/index.ts";
import { float32, row, type Tensor } from "../../src/tensor/index.ts";
import { FedleakError } from "../../src/util/index.ts";
import { requireShared } from "../shared.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "fedleak-images-"));
});

/** An RGB picture all of whose pixels differ. */
function picture(height: number, width: number): Tensor<"float32"> {
  const data = Array.from({ length: 3 * height * width }, (_, i) => ((i * 37) % 256) / 255);
  return float32([3, height, width], data);
}

/** Writes a picture as DIR/path; the encoder is chosen by `format`. */
async function put(path: string, image = picture(4, 4), format: "png" | "jpeg" | "webp" = "png"): Promise<string> {
  mkdirSync(join(dir, path, ".."), { recursive: true });
  const png = await encodePng(image);
  writeFileSync(join(dir, path), format === "png" ? png : await sharp(png)[format]({ quality: 95 }).toBuffer());
  return join(dir, path);
}

test("a PNG decodes to exactly the pixels it was encoded from, [C,H,W]", async () => {
  const image = picture(3, 5);
  expect(await decodeImage(await put("a.png", image))).toEqual(image);
});

test("one channel keeps greys exactly, in both directions, and weighs colours as light does", async () => {
  const grey = float32(
    [1, 16, 16],
    Array.from({ length: 256 }, (_, i) => i / 255),
  );
  const path = await put("grey.png", grey);
  expect(await decodeImage(path, { channels: 1 })).toEqual(grey);
  const rgb = await decodeImage(path);
  expect(rgb.shape).toEqual([3, 16, 16]);
  for (const c of [0, 1, 2]) expect(row(rgb, c).data).toEqual(grey.data);

  const primaries = float32([3, 1, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1]); // red, green, blue
  const { data } = await decodeImage(await put("rgb.png", primaries), { channels: 1 });
  // Rec. 709 luminance Y, sRGB-encoded: 1.055 Y^(1/2.4) − 0.055; libvips rounds to bytes and its tables to ± 1.
  [0.2126, 0.7152, 0.0722].forEach((y, i) => {
    expect(Math.abs(data[i]! - (1.055 * y ** (1 / 2.4) - 0.055))).toBeLessThan(1.5 / 255);
  });
});

test("JPEG and WebP decode to nearly the same pixels", async () => {
  const smooth = float32(
    [3, 16, 16],
    Array.from({ length: 768 }, (_, i) => (i % 16) / 20),
  );
  for (const format of ["jpeg", "webp"] as const) {
    const { data, shape } = await decodeImage(await put(`a.${format}`, smooth, format));
    expect(shape).toEqual([3, 16, 16]);
    expect(Math.max(...data.map((v, i) => Math.abs(v - smooth.data[i]!)))).toBeLessThan(0.05); // lossy at quality 95
  }
});

test("size covers the square and cuts both sides off evenly", async () => {
  const stripes = float32(
    [3, 2, 6],
    [...Array(6)].flatMap(() => [1, 1, 0, 0, 1, 1]),
  ); // dark middle third
  const { shape, data } = await decodeImage(await put("wide.png", stripes), { size: 2 });
  expect(shape).toEqual([3, 2, 2]);
  expect([...data]).toEqual(new Array(12).fill(0));
  const flat = await decodeImage(await put("flat.png", float32([3, 9, 7], new Array(189).fill(0.6))), { size: 4 });
  expect(flat).toEqual(float32([3, 4, 4], new Array(48).fill(0.6)));
});

test("scaling blends neighbours", async () => {
  const checks = float32(
    [3, 8, 8],
    Array.from({ length: 192 }, (_, i) => (i + Math.floor(i / 8)) % 2),
  ); // 0 and 1 in turn
  const { data } = await decodeImage(await put("checks.png", checks), { size: 4 });
  for (const y of [1, 2]) for (const x of [1, 2]) expect(Math.abs(data[y * 4 + x]! - 0.5)).toBeLessThan(0.01);
});

test("the orientation in the file is applied and transparency dropped", async () => {
  const image = await encodePng(picture(2, 6));
  writeFileSync(join(dir, "turned.jpg"), await sharp(image).withMetadata({ orientation: 6 }).jpeg().toBuffer());
  expect((await decodeImage(join(dir, "turned.jpg"))).shape).toEqual([3, 6, 2]);
  const rgba = Uint8Array.of(10, 20, 30, 0, 40, 50, 60, 128);
  await sharp(rgba, { raw: { width: 2, height: 1, channels: 4 } }).toFile(join(dir, "clear.png"));
  const bytes = [10, 40, 20, 50, 30, 60];
  expect(await decodeImage(join(dir, "clear.png"))).toEqual(
    float32(
      [3, 1, 2],
      bytes.map((v) => v / 255),
    ),
  );
});

test("damaged, foreign and missing images are named", async () => {
  for (const format of ["png", "jpeg", "webp"] as const) {
    const path = await put(`cut.${format}`, picture(64, 64), format);
    writeFileSync(path, readFileSync(path).subarray(0, -200));
    await expect(decodeImage(path)).rejects.toThrow(`image ${path}: it must be a whole PNG, JPEG or WebP image`);
  }
  for (const [name, content] of [
    ["text.png", "hello"],
    ["empty.png", ""],
  ] as const) {
    writeFileSync(join(dir, name), content);
    await expect(decodeImage(join(dir, name))).rejects.toThrow(FedleakError);
  }
  await expect(decodeImage(join(dir, "none.png"))).rejects.toThrow("must be a file that can be read");
  for (const size of [0, 1.5, -3, 1e9, Number.NaN]) {
    await expect(decodeImage("any", { size })).rejects.toThrow("size must be a whole number from 1");
  }
});

test("a folder lists classes and images by name, whatever the case of the ending, and passes over other files", async () => {
  for (const path of ["dog/b.PNG", "dog/a.png", "Cat/z.png", "ant/1.png"]) await put(path);
  await put("Cat/y.JPG", picture(4, 4), "jpeg");
  await put("Cat/x.jpeg", picture(4, 4), "jpeg");
  await put("ant/0.WebP", picture(4, 4), "webp");
  for (const path of ["README.txt", "dog/notes.txt", "dog/.hidden.png"]) writeFileSync(join(dir, path), "");
  mkdirSync(join(dir, ".git"));
  symlinkSync(join(dir, "ant"), join(dir, "bee"));
  symlinkSync(join(dir, "README.txt"), join(dir, "link-to-a-file"));
  const listing = await listImageFolder(dir);
  expect(listing.classNames).toEqual(["Cat", "ant", "bee", "dog"]);
  expect(listing.paths.map((path) => path.slice(dir.length + 1))).toEqual([
    ...["Cat/x.jpeg", "Cat/y.JPG", "Cat/z.png", "ant/0.WebP", "ant/1.png", "bee/0.WebP", "bee/1.png"],
    ...["dog/a.png", "dog/b.PNG"],
  ]);
  expect(listing.labels).toEqual([0, 0, 0, 1, 1, 2, 2, 3, 3]);
  const data = await readImageFolder(dir);
  expect(data.images.shape).toEqual([9, 3, 4, 4]);
  expect(data.labels).toEqual(listing.labels);
  expect(data.classNames).toEqual(listing.classNames);
});

test("images come in the order of the listing, more than are decoded at once, and a subset opens only its own", async () => {
  for (let i = 0; i < 40; i++) await put(`c${i % 2}/${10 + i}.png`, float32([3, 1, 1], [i / 255, 0, 1]));
  const listing = await listImageFolder(dir);
  const order = [...Array(20).keys()].flatMap((i) => 2 * i).concat([...Array(20).keys()].map((i) => 2 * i + 1));
  const { images } = await readImages(listing);
  order.forEach((i, m) => {
    expect([...row(images, m).data]).toEqual([Math.fround(i / 255), 0, 1]);
  });

  writeFileSync(listing.paths[0]!, "no longer an image");
  const some = await readImages(listing, { channels: 3 }, [39, 1]);
  expect(some.images).toEqual(float32([2, 3, 1, 1], [39 / 255, 0, 1, 2 / 255, 0, 1]));
  expect(some.labels).toEqual([1, 0]);
  await expect(readImages(listing)).rejects.toThrow(`image ${listing.paths[0]}`);
  for (const indices of [[40], [-1], [0.5], []]) {
    await expect(readImages(listing, {}, indices)).rejects.toThrow("whole numbers from 0 to 39");
  }
});

test("folders that are not DIR/<class>/<image> are complained about by name", async () => {
  const message = (path: string) => expect(listImageFolder(path)).rejects;
  await message(join(dir, "none")).toThrow(/none: it must be a folder that can be read; got no such folder/);
  const file = await put("lonely.png");
  await message(file).toThrow("it must be a folder that can be read; got a file");
  await message(dir).toThrow(
    "must hold one folder for each class; got none. Lay the images out as DIR/<class>/<image>.",
  );
  await put("cat/a.png");
  mkdirSync(join(dir, "dog"));
  await message(dir).toThrow(
    'class "dog" must have at least one image (.png, .jpg, .jpeg, .webp); got an empty folder',
  );
  writeFileSync(join(dir, "dog", "a.gif"), "");
  await message(dir).toThrow("got 1 other files");
});

test("two sizes are an error that says to pass --size, and fine with it", async () => {
  await put("a/1.png", picture(4, 6));
  const odd = await put("b/2.png", picture(5, 6));
  await expect(readImageFolder(dir)).rejects.toThrow(
    `image ${odd}: all images must be of one size, 6×4 as ${join(dir, "a/1.png")}; got 6×5. Pass --size`,
  );
  expect((await readImageFolder(dir, { size: 3 })).images.shape).toEqual([2, 3, 3, 3]);
  expect((await readImageFolder(dir, { size: 3, channels: 1 })).images.shape).toEqual([2, 1, 3, 3]);
});

test("real image folders: 80 PNG photographs of ten classes as they are, 300 JPEG at another size", async (c) => {
  const folder = requireShared(c, "data/photos32");
  const { images, labels, classNames } = await readImageFolder(folder);
  expect(images.shape).toEqual([80, 3, 32, 32]);
  expect(classNames).toEqual(readdirSync(folder).sort());
  expect(classNames.map((_, label) => labels.filter((l) => l === label).length)).toEqual(new Array(10).fill(8));
  const small = await readImageFolder(requireShared(c, "data/lc25000_lung"), { size: 8 });
  expect(small.images.shape).toEqual([300, 3, 8, 8]);
});

test("byteFromUnit rounds to the nearest of 256 levels, clamps, and makes NaN black", () => {
  const values = [0, 1, 0.5, 0.4 / 255, 0.6 / 255, -3, 7, Number.NaN, Number.POSITIVE_INFINITY];
  expect(values.map(byteFromUnit)).toEqual([0, 255, 128, 0, 1, 0, 255, 0, 255]);
});

test("encodePng scales without blending, clamps, and draws NaN black", async () => {
  const image = float32([3, 1, 2], [0, 1, -1, 2, Number.NaN, 0.5]);
  writeFileSync(join(dir, "a.png"), await encodePng(image, { scale: 2 }));
  const half = 128 / 255; // 0.5 × 255 = 127.5 rounds up
  expect(await decodeImage(join(dir, "a.png"))).toEqual(
    float32([3, 2, 4], [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, half, half, 0, 0, half, half]),
  );
});

test("gridPng puts images in rows with a white gap, and labels under them change only their own strip", async () => {
  const images = float32([3, 3, 8, 40], new Array(3 * 3 * 8 * 40).fill(0.2));
  const draw = async (options: Parameters<typeof gridPng>[1]) => {
    writeFileSync(join(dir, "grid.png"), await gridPng(images, options));
    return decodeImage(join(dir, "grid.png"));
  };
  const plain = await draw({ columns: 2, gap: 1 });
  expect(plain.shape).toEqual([3, 2 * 8 + 3, 2 * 40 + 3]);
  expect(plain.data.filter((v) => v === Math.fround(0.2)).length).toBe(images.data.length);
  expect(plain.data.filter((v) => v === 1).length).toBe(plain.data.length - images.data.length);
  expect((await draw({ columns: 5, scale: 2, gap: 0 })).shape).toEqual([3, 16, 240]);

  const blank = await draw({ columns: 1, gap: 0, labels: ["", "", ""] });
  const written = await draw({ columns: 1, gap: 0, labels: ["<a & b>", "", "ma\u0000ny"] });
  expect(written.shape).toEqual([3, 3 * (8 + 16), 40]);
  const changedRows = new Set<number>();
  written.data.forEach((v, i) => {
    if (v !== blank.data[i]) changedRows.add(Math.floor(i / 40) % 72);
  });
  const strips = [...changedRows].map((y) => ({ image: Math.floor(y / 24), under: y % 24 >= 8 }));
  expect(new Set(strips.map(({ image }) => image))).toEqual(new Set([0, 2]));
  expect(strips.every(({ under }) => under)).toBe(true);
});

test("pictures of another shape and options out of range are refused", async () => {
  const images = float32([1, 3, 2, 2], new Array(12).fill(0));
  const refuses = (t: Tensor<"float32">, options: Parameters<typeof gridPng>[1], message: string) =>
    expect(gridPng(t, options)).rejects.toThrow(message);
  await refuses(float32([1, 2, 1, 1], [0, 0]), { columns: 1 }, "C = 1 or 3");
  await refuses(float32([0, 3, 1, 1], []), { columns: 1 }, "no extent 0");
  await refuses(images, { columns: 0 }, "columns must be a whole number ≥ 1; got 0");
  await refuses(images, { columns: 1, scale: 1.5 }, "scale must be a whole number");
  await refuses(images, { columns: 1, gap: -1 }, "gap must be a whole number ≥ 0");
  await refuses(images, { columns: 1, labels: ["a", "b"] }, "one label for each of the 1 images; got 2");
  await expect(encodePng(images)).rejects.toThrow("images must be [M,C,H,W]");
});
