import { type Node, reshape, transpose } from "../graph/index.ts";
import { shapeText } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import type { FileNode, FileValue, OnnxFile } from "./file.ts";

/** How a model takes images: channels first, or last as TensorFlow has them. */
export type Layout = "nchw" | "nhwc";

/** The input of a classifier, as this program sees it and as the file does. */
export interface ImageInput {
  readonly name: string;
  /** [C,H,W]; a table's row of F columns is [1,1,F], a signal of C channels and L samples [C,1,L]. */
  readonly imageShape: readonly [number, number, number];
  /** The batch size that the file fixes. */
  readonly exportedBatch: number | undefined;
  /** Images [B,C,H,W] → what the file's input is. */
  readonly fromImages: (x: Node) => Node;
}

/**
 * The one input of a file as images. Throws FedleakError when there are several, or when its size is not known.
 *
 * Without `layout`, an input whose last axis alone is 1, 3 or 4 long is channels-last. One of three axes is a grey picture [N,H,W],
 * or a signal [N,C,L] where the file's windows go over samples alone; a given image size decides between them (our choice).
 */
export function imageInput(
  file: OnnxFile,
  { inputShape, layout }: { readonly inputShape?: readonly [number, number, number]; readonly layout?: Layout },
): ImageInput {
  const value = onlyInput(file);
  const dims = value.shape!;
  const order = layout ?? guessed(dims);
  const [first, ...rest] = dims;
  const signal = rest.length === 2 && (inputShape ? isSignal(rest, inputShape) : file.nodes.some(overSamples(file)));
  const sizes = (signal ? [rest[0], 1, rest[1]] : asImage(rest, order)).map((n, i) => n ?? inputShape?.[i]);
  const told = inputShape?.some((n, i) => sizes[i] !== n) ? inputShape : undefined;
  if (told || sizes.some((n) => n === undefined)) {
    return fail({
      who: `onnx ${file.name}`,
      must: told ? "the given image size must be the file's" : `the size of input "${value.name}" must be known`,
      got: told ? `${shapeText(told)}, the file has ${sizeText(sizes)}` : sizeText(dims),
      remedy: told ? "Leave it away." : "Say [C,H,W] when importing, or export with a fixed image size.",
    });
  }
  const imageShape = sizes as [number, number, number];
  return {
    name: value.name,
    imageShape,
    exportedBatch: first,
    fromImages: (x) => {
      const b = x.shape[0]!;
      if (rest.length === 3) return order === "nhwc" ? transpose(x, [0, 2, 3, 1]) : x;
      return reshape(x, rest.length === 1 ? [b, imageShape[2]] : [b, imageShape[signal ? 0 : 1], imageShape[2]]);
    },
  };
}

/** The one input that is no weight. */
export function onlyInput(file: OnnxFile): FileValue {
  const used = file.inputs.filter(({ name }) => file.nodes.some(({ inputs }) => inputs.includes(name)));
  const [value, ...more] = used.length > 0 ? used : file.inputs;
  const rank = value?.shape?.length ?? 0;
  if (!value || more.length > 0 || rank < 2 || rank > 4) {
    return fail({
      who: `onnx ${file.name}`,
      must: "the graph must have one input of 2 to 4 axes",
      got: value ? used.map(({ name, shape }) => `"${name}" ${sizeText(shape ?? [])}`).join(", ") : "none",
      remedy: "Export the model with the images as its only input.",
    });
  }
  return value;
}

const CHANNELS = new Set<number | undefined>([1, 3, 4]);

/** Channels last where that is plain to see. */
export function guessed(dims: readonly (number | undefined)[]): Layout {
  return dims.length === 4 && !CHANNELS.has(dims[1]) && CHANNELS.has(dims[3]) ? "nhwc" : "nchw";
}

type Sizes = readonly (number | undefined)[];

function asImage(rest: Sizes, order: Layout): Sizes {
  if (rest.length === 1) return [1, 1, rest[0]];
  if (rest.length === 2) return [1, rest[0], rest[1]];
  return order === "nhwc" ? [rest[2], rest[0], rest[1]] : rest;
}

/** Whether a given image size is that of a signal: C channels of one line. */
function isSignal([channels]: Sizes, [c, h]: readonly [number, number, number]): boolean {
  return h === 1 && (channels ?? c) === c;
}

/** Whether a node is a convolution or pooling over one axis. */
function overSamples({ initializers }: OnnxFile): (node: FileNode) => boolean {
  return ({ type, inputs, attributes }) =>
    attributes.ints("kernel_shape")?.length === 1 ||
    (type === "Conv" && initializers.get(inputs[1] ?? "")?.shape.length === 3);
}

function sizeText(sizes: Sizes): string {
  return `[${sizes.map((n) => n ?? "?").join(",")}]`;
}
