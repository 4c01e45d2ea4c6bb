import sharp from "sharp";
import { type Tensor, tensor } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { planarFromInterleaved } from "./pixels.ts";
import { readBytes } from "./read-bytes.ts";

export interface DecodeOptions {
  /** H = W of the result, in pixels; without it an image keeps its own size. */
  readonly size?: number | undefined;
  /** 3: sRGB, the default. 1: luminance, computed in linear light as libvips does; greys keep their value. */
  readonly channels?: 1 | 3 | undefined;
}

/**
 * The image in a PNG, JPEG or WebP file as [C,H,W] in [0,1].
 *
 * `size` scales the image to cover the square with a Lanczos-3 kernel and cuts off what lies outside, evenly on both
 * sides; a large JPEG or WebP is first shrunk by a whole factor in its decoder. The orientation written in the file is
 * applied, colours are converted to 8-bit sRGB, transparency is dropped.
 *
 * @throws FedleakError when the file cannot be read, or is not a whole image.
 */
export async function decodeImage(
  path: string,
  { size, channels = 3 }: DecodeOptions = {},
): Promise<Tensor<"float32">> {
  checkSize(size);
  const bytes = await readBytes(path);
  try {
    const image = sharp(bytes, { failOn: "error" }).autoOrient(); // "error": not for mere oddities that all viewers accept
    const sized = size === undefined ? image : image.resize(size, size, COVER);
    const { data, info } = await sized
      .removeAlpha()
      .toColourspace(channels === 1 ? "b-w" : "srgb")
      .raw()
      .toBuffer({ resolveWithObject: true });
    return tensor("float32", [channels, info.height, info.width], planarFromInterleaved(data, channels));
  } catch (cause) {
    return fail({
      who: `image ${path}`,
      must: "it must be a whole PNG, JPEG or WebP image",
      got: `"${firstLine(cause)}"`,
      remedy: "Replace or remove the file.",
      cause,
    });
  }
}

/** Throws FedleakError unless the side of the images is a whole number from 1 to `LARGEST_SIZE` pixels, or left away. */
export function checkSize(size: number | undefined): void {
  if (size !== undefined && !(Number.isInteger(size) && size >= 1 && size <= LARGEST_SIZE)) {
    fail({
      who: "image size",
      must: `size must be a whole number from 1 to ${LARGEST_SIZE} pixels`,
      got: `${size}`,
      remedy: "Networks here take 28 to 224.",
    });
  }
}

const LARGEST_SIZE = 16383; // pixels; the most WebP can hold, far above any network's input

const COVER = { fit: "cover", kernel: "lanczos3" } as const;

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split("\n")[0]!;
}
