/**
 * 3×3 convolutions of stride 1 by Winograd's F(4×4, 3×3): 36 products a tile of 4×4 pixels where there are 144.
 *
 * y = Aᵀ[(G w Gᵀ) ⊙ (Bᵀ x B)]A, summed over input channels. It is bilinear in the weight's U = G w Gᵀ and the image's
 * V = Bᵀ x B, so the adjoints have the same shape: with Y = A g Aᵀ, that by the input is B[Uᵀ·Y]Bᵀ, added up where
 * tiles overlap, that by the weight Gᵀ[Σ Y·Vᵀ]G. Each of U, V and Y serves two of the three and is made once.
 * Source: Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016, with its matrices.
 */
import type { Conv, Node } from "../../graph/index.ts";
import type { Shape } from "../../tensor/index.ts";
import type { Context } from "./context.ts";
import { firstTwoSwapped, padded, rowsOf, turnedTo } from "./moves.ts";

/**
 * Whether it pays for x [B,I,H,W] or g [B,O,H,W] and w [O,I,3,3]. Processor time of all three products over the plain forms, B=16, one
 * thread, AVX2: 64 channels at 32×32 0.58, 128 at 16×16 0.54, 256 at 8×8 0.51, 512 at 4×4 0.57. Its rounding
 * errors are 1.4e-6 to 5.4e-6 of the result, 7 to 13 times those of the plain form, less for images far from 0. So more
 * ReLUs take their other side: one of 10⁶ behind resnet10's layer1.0 did, and moved all gradients before it by 1e-3.
 */
export function winogradPays([b, , h, w]: Shape, [o, i, kh, kw]: Shape, attrs: Conv): boolean {
  const { stride, padding, dilation, groups } = attrs;
  const same = [...stride, ...padding, ...dilation, groups].every((n) => n === 1);
  const whole = h! % SIDE === 0 && w! % SIDE === 0;
  const tiles = (b! * h! * w!) / (SIDE * SIDE);
  return kh === 3 && kw === 3 && same && whole && tiles >= FEWEST_TILES && Math.min(o!, i!) >= FEWEST_CHANNELS;
}

const FEWEST_CHANNELS = 64; // the fewest that were measured
const FEWEST_TILES = 16; // likewise: fewer are not worth the transform of the weight

/** conv(x, w), padding 1. */
export function winogradConv(x: Node, w: Node, c: Context): string {
  const [b, , h, columns] = x.shape as [number, number, number, number];
  const { bands, tiles } = layoutOf(h);
  const o = w.shape[0]!;
  const products = c.op("MatMul", [transformedWeight(w, c), transformedInput(x, c)]); // [36,O,T]
  const placed = c.op("Reshape", [products, c.ints([1, TAPS, o * b * bands * tiles, columns / SIDE])]);
  const rows = c.op("ConvTranspose", [placed, kernel("A", c)], windows(SIDE, SIDE));
  const images = c.op("Reshape", [rows, c.ints([o, b, bands * tiles * SIDE, columns])]);
  return firstTwoSwapped(bands * tiles * SIDE === h ? images : rowsOf(images, 0, h, c), c);
}

/** convInput(g, w), padding 1. */
export function winogradInput(g: Node, w: Node, c: Context): string {
  const [b, , h, columns] = g.shape as [number, number, number, number];
  const { bands, tiles, step } = layoutOf(h);
  const i = w.shape[1]!;
  const products = c.op("MatMul", [swapped(transformedWeight(w, c), c), transformedGradient(g, c)]); // [36,I,T]
  const placed = c.op("Reshape", [products, c.ints([1, TAPS, i * b * bands * tiles, columns / SIDE])]);
  const rows = c.op("ConvTranspose", [placed, kernel("B", c)], windows(TILE, step, [0, 1, TILE - step, 1]));
  const height = tiles * step;
  const images = c.op("Reshape", [rows, c.ints([i, b, bands * height, columns])]);
  const parts = Array.from({ length: bands }, (_, band) => {
    const top = band * SIDE - 1; // the row of the image at which the band begins
    const [from, to] = [Math.max(0, -top), Math.min(height, h - top)];
    const part = rowsOf(images, band * height + from, band * height + to, c);
    return padded(part, [top + from, 0], [h - top - to, 0], c);
  });
  return firstTwoSwapped(
    parts.reduce((sum, part) => c.op("Add", [sum, part])),
    c,
  );
}

/** convWeight(x, g), padding 1. */
export function winogradWeight(x: Node, g: Node, c: Context): string {
  const [o, i] = [g.shape[1]!, x.shape[1]!];
  const products = c.op("MatMul", [transformedGradient(g, c), swapped(transformedInput(x, c), c)]); // [36,O,I]
  const flat = c.op("Reshape", [products, c.ints([TAPS, o * i])]);
  return turnedTo([o, i, 3, 3], c.op("MatMul", [weightMatrixTurned(c), flat]), c);
}

// ── Transforms ───────────────────────────────────────────────────────────────────────────────────────────────────

const SIDE = 4; // pixels of a tile of outputs
const TILE = 6; // pixels of a tile of inputs
const TAPS = TILE * TILE;
const A = [
  [1, 0, 0, 0],
  [1, 1, 1, 1],
  [1, -1, 1, -1],
  [1, 2, 4, 8],
  [1, -2, 4, -8],
  [0, 0, 0, 1],
];
const B = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];
const G = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];

/**
 * How the tiles of an image of h rows stand in one tall image of one channel, so that one convolution with a constant
 * kernel transforms all channels and images at once.
 */
interface Layout {
  readonly bands: number;
  /** Rows of tiles in a band, and rows of pixels from each to the next. */
  readonly tiles: number;
  readonly step: number;
}

/** Low images: a band of its own for each row of tiles. High ones: the image whole, and a row of tiles between two. */
function layoutOf(h: number): Layout {
  return h <= LOW ? { bands: h / SIDE, tiles: 1, step: TILE } : { bands: 1, tiles: h / SIDE + 1, step: SIDE };
}

const LOW = 16; // rows; bands took 0.80 to 0.88 of the time at 4, 8 and 16 rows, 1.1 at 32

/** Bᵀ x B of each tile: [36,I,T]. */
function transformedInput(x: Node, c: Context): string {
  return c.once(`winograd input ${x.id}`, () => {
    const [b, i, h, columns] = x.shape as [number, number, number, number];
    const { bands, tiles, step } = layoutOf(h);
    const height = tiles * step;
    const around = padded(firstTwoSwapped(c.value(x), c), [1, 1], [(bands - 1) * SIDE + height - 1 - h, 1], c);
    const parts = Array.from({ length: bands }, (_, k) =>
      bands === 1 ? around : rowsOf(around, k * SIDE, k * SIDE + height, c),
    );
    const all = bands === 1 ? around : c.op("Concat", parts, { axis: 2 });
    const tall = c.op("Reshape", [all, c.ints([1, 1, i * b * bands * height, columns + 2])]);
    const y = c.op("Conv", [tall, kernel("B", c)], windows(TILE, step, [0, 0, TILE - step, 0]));
    return c.op("Reshape", [y, c.ints([TAPS, i, (b * bands * tiles * columns) / SIDE])]);
  });
}

/** A g Aᵀ of each tile: [36,O,T]. */
function transformedGradient(g: Node, c: Context): string {
  return c.once(`winograd gradient ${g.id}`, () => {
    const [b, o, h, columns] = g.shape as [number, number, number, number];
    const { bands, tiles } = layoutOf(h);
    const rows = bands * tiles * SIDE;
    const images = padded(firstTwoSwapped(c.value(g), c), [0, 0], [rows - h, 0], c);
    const tall = c.op("Reshape", [images, c.ints([1, 1, o * b * rows, columns])]);
    const y = c.op("Conv", [tall, kernel("A", c)], windows(SIDE, SIDE));
    return c.op("Reshape", [y, c.ints([TAPS, o, (b * bands * tiles * columns) / SIDE])]);
  });
}

/** G w Gᵀ: [36,O,I]. */
function transformedWeight(w: Node, c: Context): string {
  return c.once(`winograd weight ${w.id}`, () => {
    const [o, i] = w.shape as [number, number];
    const flat = c.op("Reshape", [c.value(w), c.ints([o * i, 9])]);
    return c.op("Reshape", [c.op("Gemm", [weightMatrix(c), flat], { transB: 1 }), c.ints([TAPS, o, i])]);
  });
}

function weightMatrix(c: Context): string {
  return c.once("winograd G", () => c.floats([TAPS, 9], squared(G)));
}

/** [9,36]: as left factor with its product turned afterwards; 9 columns on the right took onnxruntime twice as long. */
function weightMatrixTurned(c: Context): string {
  const m = squared(G);
  const turned = Float32Array.from(m, (_, k) => m[(k % TAPS) * 9 + Math.floor(k / TAPS)]!);
  return c.once("winograd Gᵀ", () => c.floats([9, TAPS], turned));
}

function kernel(name: "A" | "B", c: Context): string {
  const [matrix, side] = name === "A" ? [A, SIDE] : [B, TILE];
  return c.once(`winograd ${name}`, () => c.floats([TAPS, 1, side, side], squared(matrix)));
}

/** The matrix of m w mᵀ as a function of w: m ⊗ m, row by row. */
function squared(m: readonly (readonly number[])[]): Float32Array {
  return Float32Array.from(m.flatMap((r) => m.flatMap((s) => r.flatMap((a) => s.map((b) => a * b)))));
}

// ── Moves ────────────────────────────────────────────────────────────────────────────────────────────────────────

function windows(side: number, step: number, pads = [0, 0, 0, 0]) {
  return { kernel_shape: [side, side], strides: [step, SIDE], pads, dilations: [1, 1], group: 1 };
}

function swapped(x: string, c: Context): string {
  return c.op("Transpose", [x], { perm: [0, 2, 1] });
}
