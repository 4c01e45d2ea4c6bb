/**
 * Operators of ONNX that stand for several ops at once.
 *
 * A form guesses from a value what it may have been made of, makes it again by the same verb, and holds when that gives
 * the very same node: equal nodes are one object. So nothing here can be wrong about what a value is.
 */
import {
  add,
  avgPool,
  batchNorm,
  div,
  gelu,
  type Kind,
  leakyRelu,
  logSoftmax,
  logSumExp,
  maxPool,
  mean,
  minimum,
  mul,
  type Node,
  type Pair,
  perChannel,
  relu,
  softmax,
  softplus,
  splatOf,
  sqrt,
  square,
  sub,
  type Window,
} from "../../graph/index.ts";
import { FedleakError } from "../../util/index.ts";
import { shortestDecimal } from "../shortest-decimal.ts";
import type { Attribute } from "./sheet.ts";

/** One operator with the values and numbers that it takes. */
export interface Form {
  readonly type: string;
  /** Values, numbers, lists of integers. */
  readonly inputs: readonly (Node | number | readonly number[])[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** The form of a value at an opset, if it has one. */
export function formOf(node: Node, opset: number): Form | undefined {
  for (const { op, since, read } of FORMS) {
    if (op !== node.op.name || opset < since) continue;
    const found = attempt(() => read(node, opset));
    if (found) return found;
  }
  return undefined;
}

/** A guess whose parts do not even fit together is none. */
function attempt(read: () => Form | undefined): Form | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof FedleakError) return undefined;
    throw error;
  }
}

interface Reader {
  readonly op: string;
  /** The opset that has it in the form that is written. */
  readonly since: number;
  readonly read: (y: Node, opset: number) => Form | undefined;
}

const keep = { keepDims: true };
const form = (type: string, inputs: Form["inputs"], attributes: Form["attributes"] = {}): Form => ({
  type,
  inputs,
  attributes,
});

const convolution = (y: Node): Form | undefined => {
  const [product, bias] = [y.inputs[0]!, leafOf(y.inputs[1])];
  if (product.op.name !== "conv" || bias?.shape.length !== 1 || add(product, perChannel(bias)) !== y) return undefined;
  return form("Conv", [...product.inputs, bias], convAttributes(product));
};

/** The attributes of a Conv or ConvTranspose. */
export function convAttributes({ inputs, attrs }: Node): Form["attributes"] {
  const { stride, padding, dilation, groups } = attrs as unknown as {
    readonly [name in "stride" | "padding" | "dilation"]: Pair;
  } & { readonly groups: number };
  return {
    kernel_shape: inputs[1]!.shape.slice(2),
    strides: stride,
    pads: [...padding, ...padding],
    dilations: dilation,
    group: groups,
  };
}

const biasedProduct = (y: Node): Form | undefined => {
  const [product, bias] = [y.inputs[0]!, leafOf(y.inputs[1])];
  const gemm = bias?.shape.length === 1 && product.op.name === "matmul" ? gemmOf(product) : undefined;
  if (!gemm || add(product, bias!) !== y) return undefined;
  return form("Gemm", [...gemm.inputs, bias!], gemm.attributes);
};

/** A product of matrices, one or both of them turned. */
function gemmOf(y: Node): Form | undefined {
  if (y.shape.length !== 2) return undefined;
  const turned = (x: Node) => x.op.name === "transpose";
  const [a, b] = y.inputs as [Node, Node];
  const inner = (x: Node) => (turned(x) ? x.inputs[0]! : x);
  return form("Gemm", [inner(a), inner(b)], { ...(turned(a) && { transA: 1 }), ...(turned(b) && { transB: 1 }) });
}

const turnedProduct = (y: Node): Form | undefined => {
  const gemm = gemmOf(y);
  return gemm && Object.keys(gemm.attributes).length > 0 ? gemm : undefined;
};

const batchNormalisation = (y: Node): Form | undefined => {
  const [scaled, beta] = [y.inputs[0]!, leafOf(y.inputs[1])];
  const [centred, factor] = [scaled.inputs[0], below(scaled.inputs[1])];
  const deviation = factor?.inputs[1];
  const [gamma, average] = [leafOf(factor?.inputs[0]), leafOf(centred?.inputs[1])];
  const [variance, epsilon] = [leafOf(deviation?.inputs[0]?.inputs[0]), splatAt(deviation?.inputs[0]?.inputs[1])];
  const x = centred?.inputs[0];
  if (!x || !gamma || !beta || !average || !variance || x.shape.length !== 4 || !told(epsilon)) return undefined;
  if ([gamma, beta, average, variance].some(({ shape }) => shape.length !== 1)) return undefined;
  const again = batchNorm(x, gamma, beta, { mean: average, variance }, epsilon);
  return again === y
    ? form("BatchNormalization", [x, gamma, beta, average, variance], { epsilon: { float: epsilon } })
    : undefined;
};

const layerNormalisation = (y: Node): Form | undefined => {
  const [scaled, beta] = [y.inputs[0]!, leafOf(y.inputs[1])];
  const [normal, gamma] = [scaled.inputs[0], leafOf(scaled.inputs[1])];
  const x = normal?.inputs[0]?.inputs[0];
  const epsilon = splatAt(below(normal?.inputs[1])?.inputs[1]?.inputs[0]?.inputs[1]);
  if (!x || !gamma || !beta || !told(epsilon) || gamma.shape.length !== 1 || beta.shape.length !== 1) return undefined;
  if (x.shape.length === 0 || x.shape.at(-1) !== gamma.shape[0] || gamma.shape[0] !== beta.shape[0]) return undefined;
  const last = [x.shape.length - 1];
  const centred = sub(x, mean(x, last, keep));
  const again = div(centred, sqrt(add(mean(square(centred), last, keep), epsilon)));
  return add(mul(again, gamma), beta) === y
    ? form("LayerNormalization", [x, gamma, beta], { axis: -1, epsilon: { float: epsilon } })
    : undefined;
};

const softmaxForm = (y: Node): Form | undefined => {
  const x = y.inputs[0]?.inputs[0]?.inputs[0];
  const axis = x?.shape.findIndex((_, at) => softmax(x, at) === y) ?? -1;
  return x && axis >= 0 ? form("Softmax", [x], { axis }) : undefined;
};

const logSoftmaxForm = (y: Node): Form | undefined => {
  const x = y.inputs[1]?.inputs[0];
  const axis = x?.kind === "float" ? x.shape.findIndex((_, at) => logSoftmax(x, at) === y) : -1;
  return x && axis >= 0 ? form("LogSoftmax", [x], { axis }) : undefined;
};

const logSumExpForm = (y: Node, opset: number): Form | undefined => {
  const x = y.inputs[0]?.inputs[0]?.inputs[0]?.inputs[0]?.inputs[0];
  const axis = x?.shape.findIndex((_, at) => logSumExp(x, at) === y) ?? -1;
  return x && axis >= 0 ? reduction("ReduceLogSumExp", x, [axis], opset) : undefined;
};

/** A reduction that keeps its axes; from opset 18 on they are an input. */
function reduction(type: string, x: Node, axes: readonly number[], opset: number): Form {
  return opset < 18 ? form(type, [x], { axes, keepdims: 1 }) : form(type, [x, axes], { keepdims: 1 });
}

const meanForm = (y: Node, opset: number): Form | undefined => {
  const total = y.inputs[0]!;
  const x = total.inputs[0];
  if (total.op.name !== "sum" || !x) return undefined;
  const axes = total.attrs.axes as readonly number[];
  return mean(x, axes, keep) === y ? reduction("ReduceMean", x, axes, opset) : undefined;
};

const geluForm = (y: Node): Form | undefined => {
  const x = y.inputs[1];
  return x && gelu(x) === y ? form("Gelu", [x]) : undefined;
};

const softplusForm = (y: Node): Form | undefined => {
  const x = y.inputs[0]?.inputs[0];
  return x && y.inputs[0]!.op.name === "maximum" && softplus(x) === y ? form("Softplus", [x]) : undefined;
};

const leakyForm = (y: Node): Form | undefined => {
  const [x, scaled] = y.inputs;
  const slope = splatAt(scaled?.inputs[1]);
  if (!x || !told(slope) || slope <= 0 || slope >= 1 || leakyRelu(x, slope) !== y) return undefined;
  return form("LeakyRelu", [x], { alpha: { float: slope } });
};

const clipForm = (y: Node): Form | undefined => {
  const [raised, limit] = [y.inputs[0]!, splatAt(y.inputs[1])];
  const x = raised.op.name === "relu" ? raised.inputs[0] : undefined;
  return x && limit !== undefined && minimum(relu(x), limit) === y ? form("Clip", [x, 0, limit]) : undefined;
};

const maxPoolForm = (y: Node): Form | undefined => {
  const [, index] = y.inputs;
  const x = index?.op.name === "max-pool-index" ? index.inputs[0] : undefined;
  const window = index?.attrs as unknown as Window;
  if (!x || maxPool(x, window) !== y) return undefined;
  const { kernel, stride, padding } = window;
  return form("MaxPool", [x], { kernel_shape: kernel, strides: stride, pads: [...padding, ...padding] });
};

/** Of windows that tile the image, or as a convolution with a box. */
const avgPoolForm = (y: Node): Form | undefined => {
  const inner = y.inputs[0]!;
  const x = lastImage(inner.op.name === "conv" ? inner.inputs[0] : inner.inputs[0]?.inputs[0]?.inputs[0]);
  if (!x || y.shape.length !== 4) return undefined;
  const [kernel, stride] = inner.op.name === "conv" ? boxOf(inner) : tileOf(x, y);
  if (![...kernel, ...stride].every(Number.isInteger) || avgPool(x, kernel, stride) !== y) return undefined;
  return form("AveragePool", [x], { kernel_shape: kernel, strides: stride });
};

const boxOf = (y: Node): [Pair, Pair] => [y.inputs[1]!.shape.slice(2) as unknown as Pair, y.attrs.stride as Pair];
const tileOf = (x: Node, y: Node): [Pair, Pair] => {
  const kernel: Pair = [x.shape[2]! / y.shape[2]!, x.shape[3]! / y.shape[3]!];
  return [kernel, kernel];
};

/** What was reshaped, when it was images. */
function lastImage(x: Node | undefined): Node | undefined {
  const image = x?.op.name === "reshape" ? x.inputs[0] : x;
  return image?.shape.length === 4 ? image : undefined;
}

const FORMS: readonly Reader[] = [
  { op: "add", since: 1, read: convolution },
  { op: "add", since: 1, read: biasedProduct },
  { op: "matmul", since: 1, read: turnedProduct },
  { op: "add", since: 1, read: batchNormalisation },
  { op: "add", since: 17, read: layerNormalisation },
  { op: "mul", since: 13, read: softmaxForm },
  { op: "where", since: 13, read: logSoftmaxForm },
  { op: "add", since: 1, read: logSumExpForm },
  { op: "mul", since: 1, read: meanForm },
  { op: "with-slope", since: 20, read: geluForm },
  { op: "add", since: 1, read: softplusForm },
  { op: "maximum", since: 1, read: leakyForm },
  { op: "minimum", since: 11, read: clipForm },
  { op: "gather", since: 1, read: maxPoolForm },
  { op: "reshape", since: 1, read: avgPoolForm },
];

/** The named tensor under reshapes and broadcasts. */
function leafOf(node: Node | undefined): Node | undefined {
  const inner = below(node);
  return inner?.op.name === "input" ? inner : undefined;
}

/** What was reshaped and broadcast. */
function below(node: Node | undefined): Node | undefined {
  let at = node;
  while (at && (at.op.name === "broadcast" || at.op.name === "reshape")) at = at.inputs[0];
  return at;
}

const FLOAT: Kind = "float";

function splatAt(node: Node | undefined): number | undefined {
  return node?.kind === FLOAT ? splatOf(node) : undefined;
}

/** Whether an attribute, a float32, tells a number exactly: it stands for the shortest decimal that it is nearest to. */
function told(value: number | undefined): value is number {
  return value !== undefined && shortestDecimal(Math.fround(value)) === value;
}
