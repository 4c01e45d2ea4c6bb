/**
 * Bilinear ops: matrix product and the closed family of convolutions. The VJPs of each convolution are the other two.
 *
 * Cross-correlation as everywhere in the field: y[b,o,i,j] = Σ x[b,c,i·stride+p·dilation−padding,…]·w[o,c,p,q].
 */
import { type Shape, sameShape, shapeText } from "../../tensor/index.ts";
import { fail } from "../../util/index.ts";
import { apply, describe, type Node, needKind, needRank, type Op } from "../node.ts";
import type { Pair } from "./select.ts";
import { broadcastTo, transpose } from "./structure.ts";

/** Stride and dilation ≥ 1, padding ≥ 0 (both sides), each [rows, columns]; groups divide both channel counts. */
export type Conv = {
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
};
type ConvInput = Conv & { readonly inputSize: Pair };
type ConvWeight = Conv & { readonly kernelSize: Pair };

/** a [… ,M,K] × b [… ,K,N] → [… ,M,N]; equal leading axes. d = g·bᵀ, aᵀ·g */
export const matmulOp: Op<"matmul", Record<never, never>> = {
  name: "matmul",
  rule: ([a, b]) => {
    needKind("matmul", "float", [a!, b!]);
    const lead = a!.shape.slice(0, -2);
    const fits = a!.shape.length >= 2 && sameShape(lead, b!.shape.slice(0, -2)) && a!.shape.at(-1) === b!.shape.at(-2);
    if (!fits) {
      fail({
        who: "matmul",
        must: "shapes must be […,M,K] and […,K,N] with equal leading axes",
        got: `${describe(a!)} and ${describe(b!)}`,
        remedy: "Transpose or broadcast one of them.",
      });
    }
    return { shape: [...lead, a!.shape.at(-2)!, b!.shape.at(-1)!], kind: "float" };
  },
  vjp: (g, { inputs: [a, b] }) => [matmul(g, swapLast(b!)), matmul(swapLast(a!), g)],
};

/** x [B,I,H,W] ⋆ w [O,I/G,Kh,Kw] → [B,O,Ho,Wo], Ho = ⌊(H + 2·padding − dilation·(Kh−1) − 1)/stride⌋ + 1. */
export const convOp: Op<"conv", Conv> = {
  name: "conv",
  rule: ([x, w], attrs) => ({ shape: convShape("conv", x!, w!.shape, attrs, [x!, w!]), kind: "float" }),
  vjp: (g, { inputs: [x, w], attrs }) => [
    convInput(g, w!, [x!.shape[2]!, x!.shape[3]!], attrs),
    convWeight(x!, g, [w!.shape[2]!, w!.shape[3]!], attrs),
  ],
};

/** The adjoint of conv by its input: g [B,O,Ho,Wo], w [O,I/G,Kh,Kw] → [B,I,H,W] with H,W = inputSize. */
export const convInputOp: Op<"conv-input", ConvInput> = {
  name: "conv-input",
  rule: ([g, w], { inputSize, ...attrs }) => {
    needRank("conv-input", "g", g!, 4);
    needRank("conv-input", "w", w!, 4);
    const shape = [g!.shape[0]!, w!.shape[1]! * attrs.groups, ...inputSize];
    expect("conv-input", convShape("conv-input", { shape, kind: "float" }, w!.shape, attrs, [g!, w!]), g!);
    return { shape, kind: "float" };
  },
  vjp: (g, { inputs: [y, w], attrs }) => [conv(g, w!, attrs), convWeight(g, y!, [w!.shape[2]!, w!.shape[3]!], attrs)],
};

/** The adjoint of conv by its weight: x [B,I,H,W], g [B,O,Ho,Wo] → [O,I/G,Kh,Kw] with Kh,Kw = kernelSize. */
export const convWeightOp: Op<"conv-weight", ConvWeight> = {
  name: "conv-weight",
  rule: ([x, g], { kernelSize, ...attrs }) => {
    needRank("conv-weight", "x", x!, 4);
    needRank("conv-weight", "g", g!, 4);
    const shape = [g!.shape[1]!, x!.shape[1]! / attrs.groups, ...kernelSize];
    expect("conv-weight", convShape("conv-weight", x!, shape, attrs, [x!, g!]), g!);
    return { shape, kind: "float" };
  },
  vjp: (g, { inputs: [x, y], attrs }) => [convInput(y!, g, [x!.shape[2]!, x!.shape[3]!], attrs), conv(x!, g, attrs)],
};

/** Matrix product; of different ranks, the smaller operand is repeated along the leading axes of the larger one. */
export function matmul(a: Node, b: Node): Node {
  if (a.shape.length === b.shape.length) return apply(matmulOp, [a, b], {});
  const lead = a.shape.length > b.shape.length ? a.shape.slice(0, -2) : b.shape.slice(0, -2);
  const spread = (x: Node) => broadcastTo(x, [...lead, ...x.shape.slice(-2)]);
  return apply(matmulOp, [spread(a), spread(b)], {});
}

/** Convolution options as people write them: a number stands for both axes; stride 1, padding 0, dilation 1, groups 1. */
export interface ConvOptions {
  readonly stride?: number | Pair;
  readonly padding?: number | Pair;
  readonly dilation?: number | Pair;
  readonly groups?: number;
}

/** x [B,I,H,W] ⋆ w [O,I/G,Kh,Kw] → [B,O,Ho,Wo]. Throws when channels, groups or sizes do not fit. */
export function conv(x: Node, w: Node, options: ConvOptions = {}): Node {
  return apply(convOp, [x, w], complete(options));
}

/** The gradient of conv by its input: g [B,O,Ho,Wo], w [O,I/G,Kh,Kw] → [B,I,…inputSize]. Also transposed convolution. */
export function convInput(g: Node, w: Node, inputSize: Pair, options: ConvOptions = {}): Node {
  return apply(convInputOp, [g, w], { ...complete(options), inputSize });
}

/** The gradient of conv by its weight: x [B,I,H,W], g [B,O,Ho,Wo] → [O,I/G,…kernelSize]. */
export function convWeight(x: Node, g: Node, kernelSize: Pair, options: ConvOptions = {}): Node {
  return apply(convWeightOp, [x, g], { ...complete(options), kernelSize });
}

/** [… ,M,N] → [… ,N,M]. */
export function swapLast(x: Node): Node {
  const rank = x.shape.length;
  return transpose(x, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);
}

function complete(options: ConvOptions): Conv {
  const pair = (value: number | Pair): Pair => (typeof value === "number" ? [value, value] : value);
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  return { stride: pair(stride), padding: pair(padding), dilation: pair(dilation), groups };
}

function convShape(who: string, x: Pick<Node, "shape" | "kind">, w: Shape, attrs: Conv, floats: Node[]): Shape {
  needKind(who, "float", floats);
  const [b, i, h, width] = x.shape as [number, number, number, number];
  const [o, perGroup, kh, kw] = w as [number, number, number, number];
  const whole = [...x.shape, ...w].every(Number.isInteger);
  if (!whole || x.shape.length !== 4 || w.length !== 4 || i !== perGroup * attrs.groups || o % attrs.groups !== 0) {
    fail({
      who,
      must: `input channels must equal weight I × groups (${perGroup} × ${attrs.groups} = ${perGroup * attrs.groups}) and groups divide O = ${o}`,
      got: `x ${shapeText(x.shape)}, w ${shapeText(w)}`,
      remedy: "Check channels and groups.",
    });
  }
  const extent = (n: number, k: number, axis: 0 | 1) =>
    Math.floor((n + 2 * attrs.padding[axis] - attrs.dilation[axis] * (k - 1) - 1) / attrs.stride[axis]) + 1;
  const shape = [b, o, extent(h, kh, 0), extent(width, kw, 1)];
  const bad = [...attrs.stride, ...attrs.dilation].some((n) => n < 1) || attrs.padding.some((n) => n < 0);
  if (bad || shape.some((n) => !(n >= 1))) {
    fail({
      who,
      must: "the kernel must fit into the padded image, stride and dilation be ≥ 1, padding ≥ 0",
      got: `x ${shapeText(x.shape)}, w ${shapeText(w)}, stride ${attrs.stride.join("×")}, padding ${attrs.padding.join("×")}`,
      remedy: "Use larger images or a smaller kernel.",
    });
  }
  return shape;
}

function expect(who: string, shape: Shape, g: Node): void {
  if (!sameShape(shape, g.shape)) {
    fail({ who, must: `g must have the shape ${shapeText(shape)}`, got: describe(g), remedy: "Check the sizes." });
  }
}
