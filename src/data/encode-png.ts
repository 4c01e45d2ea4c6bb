import sharp from "sharp";
import { row, type Tensor } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { byteFromUnit } from "./pixels.ts";

export interface GridOptions {
  /** Images side by side. */
  readonly columns: number;
  /** Every pixel becomes scale × scale pixels, unblended. */
  readonly scale?: number;
  /** Pixels between images and around them. */
  readonly gap?: number;
  /** One line of text under each image, in the system's sans-serif font. */
  readonly labels?: readonly string[];
}

/**
 * The bytes of a PNG file of one image, losslessly but for rounding to 8 bits.
 *
 * image: [C,H,W] in [0,1], C = 1 or 3; values outside are clamped, NaN is black · scale: whole, ≥ 1
 */
export async function encodePng(image: Tensor<"float32">, { scale = 1 }: { readonly scale?: number } = {}) {
  return gridPng({ ...image, shape: [1, ...image.shape] }, { columns: 1, scale, gap: 0 });
}

/**
 * The bytes of a PNG file that shows M images in rows of `columns`, on white.
 *
 * images: [M,C,H,W] in [0,1], C = 1 or 3, M ≥ 1; values outside are clamped, NaN is black
 *
 * @throws FedleakError when the shape is another, or columns, scale or gap are not whole numbers in range.
 */
export async function gridPng(
  images: Tensor<"float32">,
  { columns, scale = 1, gap = 2, labels = [] }: GridOptions,
): Promise<Uint8Array> {
  const [count, channels, height, width] = checkImages(images);
  checkWhole("columns", columns, 1);
  checkWhole("scale", scale, 1);
  checkWhole("gap", gap, 0);
  if (labels.length !== 0 && labels.length !== count) {
    complain(`there must be one label for each of the ${count} images`, `${labels.length}`);
  }
  const labelHeight = labels.length > 0 ? LABEL_HEIGHT : 0;
  const cell = { width: width * scale + gap, height: height * scale + labelHeight + gap };
  const sheetWidth = Math.min(columns, count) * cell.width + gap;
  const sheetHeight = Math.ceil(count / columns) * cell.height + gap;

  const sheet = new Uint8Array(sheetHeight * sheetWidth * channels).fill(255); // [H,W,C]
  const captions: string[] = [];
  for (let i = 0; i < count; i++) {
    const left = gap + (i % columns) * cell.width;
    const top = gap + Math.floor(i / columns) * cell.height;
    paint(sheet, sheetWidth, row(images, i), { left, top, scale });
    if (labels.length > 0) captions.push(caption(labels[i]!, left, top + height * scale, width * scale));
  }
  const png = sharp(sheet, { raw: { width: sheetWidth, height: sheetHeight, channels } });
  const svg = `<svg xmlns="${SVG}" width="${sheetWidth}" height="${sheetHeight}">${captions.join("")}</svg>`;
  return new Uint8Array(
    await (captions.length > 0 ? png.composite([{ input: Buffer.from(svg) }]) : png).png().toBuffer(),
  );
}

/** Writes `image` [C,H,W] into the sheet [H',W',C] with its corner at (left, top). */
function paint(
  sheet: Uint8Array,
  sheetWidth: number,
  { shape, data }: Tensor<"float32">,
  { left, top, scale }: { readonly left: number; readonly top: number; readonly scale: number },
): void {
  const [channels, height, width] = shape as [number, number, number];
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height * scale; y++) {
      for (let x = 0; x < width * scale; x++) {
        const value = data[(c * height + Math.floor(y / scale)) * width + Math.floor(x / scale)]!;
        sheet[((top + y) * sheetWidth + left + x) * channels + c] = byteFromUnit(value);
      }
    }
  }
}

const LABEL_HEIGHT = 16; // pixels: 12 of type and 4 under it
const SVG = "http://www.w3.org/2000/svg";

/** A line of text as SVG, cut off at the image's width. */
function caption(label: string, left: number, top: number, width: number): string {
  const text = label
    .replace(/\p{Cc}/gu, " ") // control characters are not allowed in XML
    .replace(/[<>&]/g, (char) => `&#${char.charCodeAt(0)};`);
  return `<svg x="${left}" y="${top}" width="${width}" height="${LABEL_HEIGHT}"><text y="12" font-family="sans-serif" font-size="12">${text}</text></svg>`;
}

function checkImages({ shape }: Tensor): [number, 1 | 3, number, number] {
  const [, channels] = shape;
  if (shape.length !== 4 || shape.includes(0) || (channels !== 1 && channels !== 3)) {
    complain("images must be [M,C,H,W] with C = 1 or 3 and no extent 0", `[${shape.join(",")}]`);
  }
  return shape as [number, 1 | 3, number, number];
}

function checkWhole(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) complain(`${name} must be a whole number ≥ ${least}`, `${value}`);
}

function complain(must: string, got: string): never {
  return fail({ who: "gridPng", must, got, remedy: "Check the arguments." });
}
