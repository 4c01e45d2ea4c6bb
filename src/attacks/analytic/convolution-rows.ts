import type { Conv } from "../../graph/index.ts";
import type { SparseRows } from "./least-squares.ts";

/** A convolution's sizes: image [I,H,W], kernel [O,I/G,Kh,Kw], result [O,Ho,Wo]. */
export interface ConvolutionShape {
  readonly from: readonly number[];
  readonly kernel: readonly number[];
  readonly to: readonly number[];
  readonly attrs: Conv;
}

/** What the kernel says of the image: row (o,i,j) · x = conv(x, weight)[o,i,j]. O·Ho·Wo rows, I·H·W columns. */
export function forwardRows(shape: ConvolutionShape, weight: ArrayLike<number>): SparseRows {
  return rowsOf(size(shape.to), size(shape.from), (visit) =>
    taps(shape, (atX, atW, atY) => visit(atY, atX, weight[atW]!)),
  );
}

/** What the kernel's gradient says of the image: row (o,c,p,q) · x = conv-weight(x, delta)[o,c,p,q]. O·I/G·Kh·Kw rows. */
export function gradientRows(shape: ConvolutionShape, delta: ArrayLike<number>): SparseRows {
  return rowsOf(size(shape.kernel), size(shape.from), (visit) =>
    taps(shape, (atX, atW, atY) => visit(atW, atX, delta[atY]!)),
  );
}

/** Some rows of one matrix and then of the next, each multiplied by its factor; rows of factor 0 are left out. */
export function weightedRows(
  parts: readonly { readonly rows: SparseRows; readonly factors: Float64Array }[],
): SparseRows {
  const kept = parts.map(({ factors }) => [...factors.keys()].filter((i) => factors[i] !== 0));
  const lengths = parts.flatMap(({ rows }, p) => kept[p]!.map((i) => rows.start[i + 1]! - rows.start[i]!));
  const start = starts(lengths);
  const total = start.at(-1)!;
  const columns = new Int32Array(total);
  const values = new Float64Array(total);
  let at = 0;
  parts.forEach(({ rows, factors }, p) => {
    for (const i of kept[p]!) {
      for (let k = rows.start[i]!; k < rows.start[i + 1]!; k++, at++) {
        columns[at] = rows.columns[k]!;
        values[at] = rows.values[k]! * factors[i]!;
      }
    }
  });
  return { width: parts[0]!.rows.width, start, columns, values };
}

type Entries = (visit: (row: number, column: number, value: number) => void) => void;

/** Collects entries that come in any order; visits them twice, to count and to place. */
function rowsOf(height: number, width: number, entries: Entries): SparseRows {
  const lengths = new Int32Array(height);
  entries((row) => {
    lengths[row]!++;
  });
  const start = starts(lengths);
  const next = start.slice();
  const columns = new Int32Array(start.at(-1)!);
  const values = new Float64Array(start.at(-1)!);
  entries((row, column, value) => {
    const at = next[row]!++;
    columns[at] = column;
    values[at] = value;
  });
  return { width, start, columns, values };
}

function starts(lengths: ArrayLike<number>): Int32Array {
  const start = new Int32Array(lengths.length + 1);
  for (let i = 0; i < lengths.length; i++) start[i + 1] = start[i]! + lengths[i]!;
  return start;
}

/** Visits all triples of flat positions (image, kernel, result) that a convolution of one image multiplies and adds. */
function taps(shape: ConvolutionShape, visit: (atX: number, atW: number, atY: number) => void): void {
  const { stride, padding, dilation, groups } = shape.attrs;
  const [, h, width] = shape.from as [number, number, number];
  const [outputs, perGroup, kh, kw] = shape.kernel as [number, number, number, number];
  const [, ho, wo] = shape.to as [number, number, number];
  for (let o = 0; o < outputs; o++) {
    const first = Math.floor(o / (outputs / groups)) * perGroup;
    for (let c = 0; c < perGroup; c++) {
      for (let p = 0; p < kh; p++) {
        for (let q = 0; q < kw; q++) {
          const atW = ((o * perGroup + c) * kh + p) * kw + q;
          for (let i = 0; i < ho; i++) {
            const r = i * stride[0] + p * dilation[0] - padding[0];
            if (r < 0 || r >= h) continue;
            for (let j = 0; j < wo; j++) {
              const s = j * stride[1] + q * dilation[1] - padding[1];
              if (s >= 0 && s < width) visit(((first + c) * h + r) * width + s, atW, (o * ho + i) * wo + j);
            }
          }
        }
      }
    }
  }
}

function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
