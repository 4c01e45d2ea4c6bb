/** Convolutions of a whole batch as of one tall image: for few pixels and many weights, which are then read once. */
import type { Conv, Node } from "../../graph/index.ts";
import { type Shape, sizeOf } from "../../tensor/index.ts";
import type { Context } from "./context.ts";
import { firstTwoSwapped, padded, rowsOf } from "./moves.ts";
import { windowOf } from "./window.ts";

/**
 * Whether one tall image pays; onnxruntime multiplies image by image, and with few pixels an image that reads the weights
 * B times. Processor time of tall over plain, one thread, AVX2: transposed 512→512 at 2×2 0.30, 512→256 at 2×2 0.37, at
 * 4×4 0.69 to 0.85, at 8×8 1.08; forward at 2×2 0.65 to 0.69, at 4×4 1.26; 128→32 (37 thousand weights) 1.1 to 1.25.
 */
export function tallPays(kind: "forward" | "transposed", pixels: Shape, weight: Shape, attrs: Conv): boolean {
  const [batch, , rows, columns] = pixels as readonly [number, number, number, number];
  const inside = attrs.dilation[0] * (weight[2]! - 1) >= attrs.padding[0]; // each window meets the image
  const many = sizeOf(weight) >= MANY_WEIGHTS;
  return attrs.groups === 1 && batch > 1 && inside && many && rows * columns <= FEW_PIXELS[kind];
}

/** A value of the model that no node of the graph stands for. */
export interface Value {
  readonly name: string;
  readonly shape: Shape;
}

const MANY_WEIGHTS = 1 << 18; // our choice between 37 thousand, where it costs, and 1.2 million, where it pays
const FEW_PIXELS = { forward: 4, transposed: 16 } as const; // of one image, on the side with fewer; measured, see above

/**
 * conv(x, w), stride and size such that y has `size` rows and columns: images [I,B,H,W] one below the other, so many rows
 * of zeros between them that no window that counts meets two.
 */
export function tallConv(x: Node, weight: Value, size: readonly [number, number], attrs: Conv, c: Context): string {
  const [b, , h] = x.shape as [number, number, number];
  const [rows, columns] = size;
  const { shape } = weight;
  const { stride, padding, dilation } = attrs;
  const period = Math.max(Math.ceil((h + padding[0]) / stride[0]), rows); // rows of outputs from image to image
  const tall = below(c.value(x), x.shape, period * stride[0], c);
  const reach = (b * period - 1) * stride[0] + dilation[0] * (shape[2]! - 1) + 1;
  const bottom = Math.max(0, reach - padding[0] - b * period * stride[0]);
  const pads = [padding[0], padding[1], bottom, padding[1]];
  const y = c.op("Conv", [tall, weight.name], { ...windowOf(shape, attrs), pads });
  return apart(y, [shape[0]!, b, period, columns], rows, c);
}

/** convInput(g, w) to `inputSize`, likewise. */
export function tallTranspose(
  g: Node,
  weight: Node,
  attrs: Conv & { readonly inputSize: readonly [number, number] },
  c: Context,
): string {
  const [b, , h, w] = g.shape as [number, number, number, number];
  const [, i, kh, kw] = weight.shape as [number, number, number, number];
  const { inputSize, stride, padding, dilation } = attrs;
  const period = Math.max(Math.ceil((inputSize[0] + padding[0]) / stride[0]), h);
  const rows = period * stride[0];
  const beyond = b * rows + padding[0] - ((b * period - 1) * stride[0] + dilation[0] * (kh - 1) + 1);
  const right = inputSize[1] + 2 * padding[1] - ((w - 1) * stride[1] + dilation[1] * (kw - 1) + 1);
  const attributes = {
    ...windowOf(weight.shape, attrs),
    pads: [padding[0], padding[1], Math.max(0, -beyond), padding[1]],
    output_padding: [Math.max(0, beyond), right],
  };
  const spread = c.op("ConvTranspose", [below(c.value(g), g.shape, period, c), c.value(weight)], attributes);
  return apart(spread, [i, b, rows, inputSize[1]], inputSize[0], c);
}

/** [B,C,H,W] → [1,C,B·rows,W]: each image followed by rows − H rows of zeros. */
function below(x: string, [b, channels, h, w]: readonly number[], rows: number, c: Context): string {
  const spaced = padded(firstTwoSwapped(x, c), [0, 0], [rows - h!, 0], c);
  return c.op("Reshape", [spaced, c.ints([1, channels!, b! * rows, w!])]);
}

/** The way back, [1,C,B·rows,W] → [B,C,H,W], with [C,B,rows,W] given. */
function apart(x: string, shape: readonly [number, number, number, number], h: number, c: Context): string {
  const images = c.op("Reshape", [x, c.ints(shape)]);
  return firstTwoSwapped(shape[2] === h ? images : rowsOf(images, 0, h, c), c);
}
