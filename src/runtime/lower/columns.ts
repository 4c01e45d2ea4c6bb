/**
 * Strided convolutions as products of matrices over columns, the image's elements that each tap of the kernel meets:
 * columns[(i,p,q), n] = x[i, n·stride shifted by (p,q)], n over rows and columns of outputs.
 *
 * Times in brackets are milliseconds of one thread, AVX2, at B=16, 3×3, stride 2, for 64→128 channels at 32×32, 128→256 at 16×16
 * and 256→512 at 8×8.
 */
import type { AttrsOf, Conv, Node } from "../../graph/index.ts";
import type { Context } from "./context.ts";
import { firstTwoSwapped } from "./moves.ts";
import { windowOf } from "./window.ts";

type ConvNode<N extends "conv" | "conv-input" | "conv-weight"> = Node<AttrsOf<N>>;
type Extents = readonly [number, number, number, number];

/** Whether the gradients are made of columns: that by the weight takes 4.0, 2.1 and 1.7 before its product, of nine strided slices 7.5, 4.1 and 2.6. */
export function columnsPay([o, i]: readonly number[], { stride, groups }: Conv): boolean {
  return groups === 1 && stride.some((step) => step > 1) && Math.min(o!, i!) >= FEWEST_CHANNELS;
}

/**
 * Whether the convolution uses the columns that the gradient by its weight will be made of (product 8.9, 7.9, 7.6; onnxruntime's Conv
 * 10.4, 9.0, 9.0). They are kept from one to the other: kernel area/stride² of the image, so not for large kernels.
 */
export function columnsServeBoth(weight: readonly number[], attrs: Conv): boolean {
  return columnsPay(weight, attrs) && weight[2]! * weight[3]! <= LARGEST_AREA;
}

const FEWEST_CHANNELS = 16; // the fewest that were measured: 16→32 at 32×32, 1.0 instead of 2.0 before the product
const LARGEST_AREA = 9; // 3×3 (our choice)

/** conv(x, w) = w [O,I·Kh·Kw] · columns. */
export function columnsConv({ inputs: [x, w], attrs, shape }: ConvNode<"conv">, c: Context): string {
  const [o, i, kh, kw] = w!.shape as Extents;
  const columns = columnsOf(x!, [kh, kw], [shape[2]!, shape[3]!], attrs, c);
  const product = c.op("MatMul", [c.op("Reshape", [c.value(w!), c.ints([o, i * kh * kw])]), columns]); // [B,O,Ho·Wo]
  return c.op("Reshape", [product, c.ints(shape)]);
}

/** convWeight(x, g) = g [O,n] · columnsᵀ, n over the batch too. */
export function columnsWeight({ inputs: [x, g], attrs, shape }: ConvNode<"conv-weight">, c: Context): string {
  const [b, o, ho, wo] = g!.shape as Extents;
  const depth = x!.shape[1]! * attrs.kernelSize[0] * attrs.kernelSize[1];
  const columns = c.op("Transpose", [columnsOf(x!, attrs.kernelSize, [ho, wo], attrs, c)], { perm: [1, 0, 2] });
  const rows = c.op("Reshape", [firstTwoSwapped(c.value(g!), c), c.ints([o, b * ho * wo])]);
  const product = c.op("Gemm", [rows, c.op("Reshape", [columns, c.ints([depth, b * ho * wo])])], { transB: 1 });
  return c.op("Reshape", [product, c.ints(shape)]);
}

/**
 * convInput(g, w): wᵀ·g gives the gradients of the columns, which are added up where they overlap (8.8, 7.5, 8.0 in all; onnxruntime's
 * ConvTranspose, which turns the weight anew for each image, 9.0, 8.9, 12.9).
 */
export function columnsInput({ inputs: [g, w], attrs, shape }: ConvNode<"conv-input">, c: Context): string {
  const [b, o, ho, wo] = g!.shape as Extents;
  const [, i, kh, kw] = w!.shape as Extents;
  const turned = c.op("Transpose", [c.op("Reshape", [c.value(w!), c.ints([o, i * kh * kw])])], { perm: [1, 0] });
  // Flatten keeps onnxruntime's optimiser from taking the transpose into the product, where it is done image by image.
  const left = c.op("Flatten", [turned], { axis: 1 });
  const columns = c.op("MatMul", [left, c.op("Reshape", [c.value(g!), c.ints([b, o, ho * wo])])]);
  const { strides, pads, dilations } = windowOf(w!.shape, attrs);
  const image = c.op("Col2Im", [columns, c.ints(attrs.inputSize), c.ints([kh, kw])], { strides, pads, dilations });
  return c.op("Reshape", [image, c.ints(shape)]);
}

/** [B,I·Kh·Kw,Ho·Wo], by kernels that are 1 at one tap and 0 elsewhere. */
function columnsOf(
  x: Node,
  size: readonly [number, number],
  [ho, wo]: readonly [number, number],
  attrs: Conv,
  c: Context,
): string {
  const { stride, padding, dilation } = attrs;
  return c.once(`columns ${[x.id, ...size, ...stride, ...padding, ...dilation, ho, wo].join()}`, () => {
    const [b, i] = x.shape as Extents;
    const area = size[0] * size[1];
    const kernel = c.once(`taps ${i} ${size.join()}`, () => c.floats([i * area, 1, ...size], taps(i, area)));
    const y = c.op(
      "Conv",
      [c.value(x), kernel],
      windowOf([i * area, 1, ...size], { stride, padding, dilation, groups: i }),
    );
    return c.op("Reshape", [y, c.ints([b, i * area, ho * wo])]);
  });
}

/** `channels` identity matrices of area × area, one below the other. */
function taps(channels: number, area: number): Float32Array {
  return Float32Array.from({ length: channels * area * area }, (_, k) => +(k % area === Math.floor(k / area) % area));
}
