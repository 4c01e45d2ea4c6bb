import { hardRows } from "../../../attacks/index.ts";
import { type Column, embeddedImages, takeBatch } from "../../../data/index.ts";
import type { Images } from "../../../metrics/index.ts";
import { programCache } from "../../../runtime/index.ts";
import { float32, sizeOf } from "../../../tensor/index.ts";
import { type Key, permutation, split, uniform } from "../../../util/index.ts";
import { type GradientFrame, residualOf } from "./residual.ts";

/** Batches that are tried; our choice: the least of a few draws, in seconds. */
const DRAWS = 6;

/**
 * What pictures of strangers explain: the least residual of a few batches that nobody has searched for, under the same labels.
 *
 * Half are crops of the embedded photographs, half noise U(0,1) (noise alone where images are not square, or neither grey nor in colour); of a table
 * rows with numbers from U(0,1) and any categories.
 * Some networks' gradients follow from the labels nearly alone: there any images explain an update, and only one that is explained far
 * better than by these has told of its own. labels: one an image. NaN where no gradient is finite. Source: none; our choice.
 */
export async function strangersResidual(
  labels: readonly number[],
  frame: Omit<GradientFrame, "compile"> & { readonly columns?: readonly Column[] | undefined },
  key: Key,
): Promise<number> {
  const { columns } = frame;
  const [channels, height, width] = frame.model.inputShape;
  const shape = [labels.length, channels, height, width];
  const photos =
    height === width && (channels === 1 || channels === 3) ? await photographs(height, channels) : undefined;
  const programs = programCache();
  try {
    let least = Number.NaN;
    for (let draw = 0; draw < DRAWS; draw++) {
      const own = split(key, draw);
      const plain = photos && draw % 2 === 0 ? drawn(photos, labels.length, own) : noise(shape, own);
      const images = columns ? hardRows(plain, columns) : plain;
      const residual = await residualOf(images, labels, { ...frame, compile: programs.compile });
      if (!(residual >= least)) least = Number.isFinite(residual) ? residual : least;
    }
    return least;
  } finally {
    await programs.release();
  }
}

/** All crops, [M,C,H,W]; grey ones are the mean of the colours. */
async function photographs(size: number, channels: number): Promise<Images> {
  const { images } = await embeddedImages({ size });
  if (channels === 3) return images;
  const [count, , height, width] = images.shape as [number, number, number, number];
  const area = height * width;
  const grey = Float32Array.from({ length: count * area }, (_, i) => {
    const at = Math.floor(i / area) * 3 * area + (i % area);
    return (images.data[at]! + images.data[at + area]! + images.data[at + 2 * area]!) / 3;
  });
  return float32([count, 1, height, width], grey);
}

/** Different crops while they last. */
function drawn(photos: Images, batch: number, key: Key): Images {
  const order = permutation(key, photos.shape[0]!);
  const indices = Array.from({ length: batch }, (_, i) => order[i % order.length]!);
  const all = { images: photos, labels: order.map(() => 0), classNames: ["photograph"], source: "embedded" };
  return takeBatch(all, indices).images;
}

function noise(shape: readonly number[], key: Key): Images {
  return float32(shape, uniform(key, sizeOf(shape)));
}
