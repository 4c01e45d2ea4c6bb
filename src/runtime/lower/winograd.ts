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
 * thread, AVX2: 64 channels at 32×32 0.58, 128 at 16×16 0.54, 256 at 8×8 0.51, 512 at 4×4 0.57 or less; 32 channels at 32×32 0.66, at
 * 16×16 0.62, at 8×8 0.64; 16 at 32×32 0.72, at 16×16 0.74. Its rounding
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

const FEWEST_CHANNELS = 16; // the fewest that were measured
const FEWEST_TILES = 16; // likewise: fewer are not worth the transform of the weight

/** conv(x, w), padding 1. */
export function winogradConv(x: Node, w: Node, c: Context): string {
  const [b, , h, columns] = x.shape as [number, number, number, number];
  const products = c.op("MatMul", [transformedWeight(w, c), transformedInput(x, c)]); // [36,O,T]
  return tilesToImages(products, "A", [b, w.shape[0]!, h, columns], c);
}

/** convInput(g, w), padding 1. */
export function winogradInput(g: Node, w: Node, c: Context): string {
  const [b, , h, columns] = g.shape as [number, number, number, number];
  const size = [b, w.shape[1]!, h, columns] as const;
  const products = c.op("MatMul", [swapped(transformedWeight(w, c), c), transformedGradient(g, c)]); // [36,I,T]
  if (h === SIDE && columns === SIDE) return tilesToImages(products, "B", size, c);
  return Math.max(h, columns) <= DENSE ? overlappedByMatrices(products, size, c) : overlapped(products, size, c);
}

/** convWeight(x, g), padding 1. */
export function winogradWeight(x: Node, g: Node, c: Context): string {
  const [o, i] = [g.shape[1]!, x.shape[1]!];
  const [gradient, image] = [transformedGradient(g, c), swapped(transformedInput(x, c), c)];
  const matrix = c.once("winograd Gᵀ", () => c.floats([9, TAPS], turned(G))); // 9 columns on the right take twice as long
  const blocks = o * i > LARGE && o % BLOCKS === 0 ? BLOCKS : 1;
  const rows = o / blocks;
  const parts = Array.from({ length: blocks }, (_, k) => {
    const part =
      blocks === 1 ? gradient : c.op("Slice", [gradient, c.ints([k * rows]), c.ints([(k + 1) * rows]), c.ints([1])]);
    const products = c.op("Reshape", [c.op("MatMul", [part, image]), c.ints([1, TAPS, rows * i])]);
    return turnedTo([rows, i, 3, 3], c.op("MatMul", [matrix, products]), c);
  });
  return blocks === 1 ? parts[0]! : c.op("Concat", parts, { axis: 0 });
}

// Some outputs at a time where 36 products a weight would not stay in the cache: at 512 channels of 4×4 10.5 ms, all at once 12.8;
// at 256 of 8×8 both take the same.
const LARGE = 1 << 17; // weights/9 (our choice between these two)
const BLOCKS = 8; // 4 took 11.0 ms

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
const INNER_B = B.map((row) => row.slice(1, 1 + SIDE)); // of the pixels that are a tile's own
const G = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];

/**
 * Bᵀ x B of each tile: [36,I,T], T over batch, rows and columns of tiles. All rows of all images stand in one tall image of one channel, so
 * that one convolution with a constant kernel transforms them at once.
 *
 * Low images: a band of 6 rows for each row of tiles. High ones: the image whole, and then a row of tiles of two images, which is cut out.
 */
function transformedInput(x: Node, c: Context): string {
  return c.once(`winograd input ${x.id}`, () => {
    const [b, i, h, columns] = x.shape as [number, number, number, number];
    const [rows, across] = [h / SIDE, columns / SIDE];
    const low = h <= LOW;
    const around = padded(firstTwoSwapped(c.value(x), c), [1, 1], [low ? 1 : SIDE - 1, 1], c);
    const bands = () => Array.from({ length: rows }, (_, k) => rowsOf(around, k * SIDE, k * SIDE + TILE, c));
    const all = low && rows > 1 ? c.op("Concat", bands(), { axis: 2 }) : around;
    const [tiles, step] = low ? [rows, TILE] : [rows + 1, SIDE];
    const tall = c.op("Reshape", [all, c.ints([1, 1, i * b * tiles * step, columns + 2])]);
    const y = c.op("Conv", [tall, kernel("B", c)], windows(TILE, step, [0, 0, TILE - step, 0]));
    const cut = () => rowsOf(c.op("Reshape", [y, c.ints([TAPS, i * b, tiles, across])]), 0, rows, c);
    return c.op("Reshape", [low ? y : cut(), c.ints([TAPS, i, b * rows * across])]);
  });
}

const LOW = 16; // rows; bands took 0.80 to 0.88 of the time at 4, 8 and 16 rows, 1.1 at 32

/** A g Aᵀ of each tile: [36,O,T], likewise. */
function transformedGradient(g: Node, c: Context): string {
  return c.once(`winograd gradient ${g.id}`, () => {
    const [b, o, h, columns] = g.shape as [number, number, number, number];
    const tall = c.op("Reshape", [firstTwoSwapped(c.value(g), c), c.ints([1, 1, o * b * h, columns])]);
    const y = c.op("Conv", [tall, kernel("A", c)], windows(SIDE, SIDE));
    return c.op("Reshape", [y, c.ints([TAPS, o, (b * h * columns) / (SIDE * SIDE)])]);
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

function kernel(name: "A" | "B", c: Context): string {
  const [matrix, side] = name === "A" ? [A, SIDE] : [B, TILE];
  return c.once(`winograd ${name}`, () => c.floats([TAPS, 1, side, side], squared(matrix)));
}

/** The matrix of m w mᵀ as a function of w: m ⊗ m, row by row. */
function squared(m: readonly (readonly number[])[]): Float32Array {
  return Float32Array.from(m.flatMap((r) => m.flatMap((s) => r.flatMap((a) => s.map((b) => a * b)))));
}

/** `squared` transposed. */
function turned(m: readonly (readonly number[])[]): Float32Array {
  const values = squared(m);
  return values.map((_, k) => values[(k % TAPS) * (values.length / TAPS) + Math.floor(k / TAPS)]!);
}

// ── The way back ─────────────────────────────────────────────────────────────────────────────────────────────────

type Extents = readonly [number, number, number, number];

/**
 * [36,C,T] → [B,C,H,W] by a matrix [16,36] for each tile: pixels (p,q) of all tiles, then q and p each to their place. Of
 * 4.8, 2.0 and 1.1 ms for a ConvTranspose, 3.3, 1.7 and 0.9 are left at 64 channels of 32×32, 128 of 16×16 and 256 of 8×8.
 */
function tilesToImages(products: string, of: "A" | "B", [b, channels, h, w]: Extents, c: Context): string {
  const flat = c.op("Reshape", [products, c.ints([TAPS, (channels * b * h * w) / (SIDE * SIDE)])]);
  const matrix = c.once(`winograd ${of}ᵀ`, () => c.floats([SIDE * SIDE, TAPS], turned(of === "A" ? A : INNER_B)));
  const pixels = c.op("Reshape", [c.op("MatMul", [matrix, flat]), c.ints([SIDE, SIDE, -1])]);
  const rows = turnedTo([SIDE, channels, b, h / SIDE, w], pixels, c); // [p,C,B,H/4,W]
  return c.op("Reshape", [c.op("Transpose", [rows], { perm: [2, 1, 3, 0, 4] }), c.ints([b, channels, h, w])]);
}

/**
 * Σ B[·]Bᵀ where tiles overlap, [36,C,T] → [B,C,H,W]: along columns and then along rows by the matrix of all tiles. Of 8.9, 4.6 and
 * 3.1 ms for a ConvTranspose, 6.2, 2.3 and 2.2 are left (64 channels of 32×32, 128 of 16×16, 256 of 8×8).
 */
function overlappedByMatrices(products: string, [b, channels, h, w]: Extents, c: Context): string {
  const [rows, columns] = [h / SIDE, w / SIDE];
  const taps = c.op("Reshape", [products, c.ints([TILE, TILE, -1])]);
  const last = turnedTo([TILE * channels * b * rows, columns * TILE], taps, c); // [(a,C,B,H/4),(W/4,b)]
  const wide = c.op("Reshape", [
    c.op("MatMul", [last, spreading("columns", w, c)]),
    c.ints([TILE, channels, b, rows * w]),
  ]);
  const apart = c.op("Transpose", [wide], { perm: [2, 1, 0, 3] }); // [B,C,a,H/4·W]
  const tiles = c.op("Reshape", [apart, c.ints([b * channels, TILE * rows, w])]);
  return c.op("Reshape", [c.op("MatMul", [spreading("rows", h, c), tiles]), c.ints([b, channels, h, w])]);
}

const DENSE = 56; // pixels: the matrices grow with the image, the ConvTranspose does not (our choice; 32 was measured)

/** The same for large images: a ConvTranspose of each. */
function overlapped(products: string, [b, channels, h, w]: Extents, c: Context): string {
  const tiles = c.op("Reshape", [products, c.ints([TAPS, channels, b, (h * w) / (SIDE * SIDE)])]);
  const images = c.op("Reshape", [
    c.op("Transpose", [tiles], { perm: [2, 1, 0, 3] }),
    c.ints([b * channels, TAPS, h / SIDE, w / SIDE]),
  ]);
  const spread = c.op("ConvTranspose", [images, kernel("B", c)], windows(TILE, SIDE, [1, 1, 1, 1]));
  return c.op("Reshape", [spread, c.ints([b, channels, h, w])]);
}

/** What tap k of tile t adds to pixel 4t + p − 1 of a row, B[k][p]: [(t,k), n], or for a column [n, (k,t)]. */
function spreading(along: "columns" | "rows", n: number, c: Context): string {
  const tiles = n / SIDE;
  return c.once(`winograd ${along} ${n}`, () => {
    const m = new Float32Array(n * tiles * TILE);
    for (let t = 0; t < tiles; t++) {
      B.forEach((pixels, k) => {
        pixels.forEach((value, p) => {
          const pixel = t * SIDE + p - 1;
          if (pixel >= 0 && pixel < n)
            m[along === "columns" ? (t * TILE + k) * n + pixel : pixel * tiles * TILE + k * tiles + t] = value;
        });
      });
    }
    return c.floats(along === "columns" ? [tiles * TILE, n] : [n, tiles * TILE], m);
  });
}

// ── Moves ────────────────────────────────────────────────────────────────────────────────────────────────────────

function windows(side: number, step: number, pads = [0, 0, 0, 0]) {
  return { kernel_shape: [side, side], strides: [step, SIDE], pads, dilations: [1, 1], group: 1 };
}

function swapped(x: string, c: Context): string {
  return c.op("Transpose", [x], { perm: [0, 2, 1] });
}
