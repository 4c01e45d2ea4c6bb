/** The three convolutions as one loop over all (output, weight) pairs; they differ in which operand is summed into. */
import type { Conv } from "../../graph/index.ts";
import { type Shape, sizeOf } from "../../tensor/index.ts";

/** x [B,I,H,W] ⋆ w [O,I/G,Kh,Kw] → [B,O,Ho,Wo] */
export function convForward(x: Shape, w: Shape, y: Shape, attrs: Conv, [xs, ws]: [Float64Array, Float64Array]) {
  const out = new Float64Array(sizeOf(y));
  taps(x, w, y, attrs, (atX, atW, atY) => {
    out[atY]! += xs[atX]! * ws[atW]!;
  });
  return out;
}

/** g [B,O,Ho,Wo], w → [B,I,H,W] */
export function convAdjointInput(x: Shape, w: Shape, y: Shape, attrs: Conv, [gs, ws]: [Float64Array, Float64Array]) {
  const out = new Float64Array(sizeOf(x));
  taps(x, w, y, attrs, (atX, atW, atY) => {
    out[atX]! += gs[atY]! * ws[atW]!;
  });
  return out;
}

/** x, g [B,O,Ho,Wo] → [O,I/G,Kh,Kw] */
export function convAdjointWeight(x: Shape, w: Shape, y: Shape, attrs: Conv, [xs, gs]: [Float64Array, Float64Array]) {
  const out = new Float64Array(sizeOf(w));
  taps(x, w, y, attrs, (atX, atW, atY) => {
    out[atW]! += xs[atX]! * gs[atY]!;
  });
  return out;
}

/** Visits all triples of flat positions (x, w, y) that a convolution multiplies and adds. */
function taps(
  x: Shape,
  w: Shape,
  y: Shape,
  { stride, padding, dilation, groups }: Conv,
  visit: (atX: number, atW: number, atY: number) => void,
): void {
  const [batch, channels, h, width] = x as [number, number, number, number];
  const [outputs, perGroup, kh, kw] = w as [number, number, number, number];
  const [, , ho, wo] = y as [number, number, number, number];
  for (let b = 0; b < batch; b++) {
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
                if (s < 0 || s >= width) continue;
                const atX = ((b * channels + first + c) * h + r) * width + s;
                visit(atX, atW, ((b * outputs + o) * ho + i) * wo + j);
              }
            }
          }
        }
      }
    }
  }
}
