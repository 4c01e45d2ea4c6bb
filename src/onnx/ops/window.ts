import type { Pair } from "../../graph/index.ts";
import { type Call, complain, needText } from "../call.ts";

/** How a window moves over rows and columns, as a node's attributes say; a one-dimensional one has one row. */
export interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Pixels around the image, maybe negative where the last window ends before it. */
  readonly before: Pair;
  readonly after: Pair;
}

type Axis = 0 | 1;

/** The window of a convolution or pooling over an image of `size`; the kernel is the attribute's unless given. */
export function windowOf(call: Call, size: Pair, weightKernel?: Pair): Window {
  const { attributes } = call.node;
  const dims = call.inputs[0]!.shape.length - 2;
  const kernel = weightKernel ?? pair(call, "kernel_shape", dims) ?? needKernel(call);
  const stride = pair(call, "strides", dims) ?? [1, 1];
  const dilation = pair(call, "dilations", dims) ?? [1, 1];
  if ([...kernel, ...stride, ...dilation].some((n) => !Number.isInteger(n) || n < 1)) {
    complain(
      call,
      "kernel, strides and dilations must be ≥ 1",
      `${[...kernel, ...stride, ...dilation]}`,
      "Export it again.",
    );
  }
  const mode = needText(call, "auto_pad", "NOTSET", ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"]);
  if (mode === "VALID") return { kernel, stride, dilation, before: [0, 0], after: [0, 0] };
  if (mode === "NOTSET") return { kernel, stride, dilation, ...padsOf(call, attributes.ints("pads"), dims) };
  const total = (axis: Axis) => {
    const outputs = Math.ceil(size[axis] / stride[axis]);
    return Math.max(0, (outputs - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1 - size[axis]);
  };
  const half = (axis: Axis) => (mode === "SAME_UPPER" ? Math.floor(total(axis) / 2) : Math.ceil(total(axis) / 2));
  const before: Pair = [half(0), half(1)];
  return { kernel, stride, dilation, before, after: [total(0) - before[0], total(1) - before[1]] };
}

/** Two numbers of an attribute; a one-dimensional list is for the columns. */
export function pair(call: Call, attribute: string, dims: number, row = 1): Pair | undefined {
  const list = call.node.attributes.ints(attribute);
  if (!list) return undefined;
  if (list.length !== dims) complain(call, `${attribute} must have ${dims} numbers`, `${list}`, "Export it again.");
  return dims === 1 ? [row, list[0]!] : [list[0]!, list[1]!];
}

/** The attribute `pads`, which lists all beginnings, then all ends. */
export function padsOf(
  call: Call,
  pads: readonly number[] | undefined,
  dims: number,
): Pick<Window, "before" | "after"> {
  if (!pads) return { before: [0, 0], after: [0, 0] };
  if (pads.length !== 2 * dims || pads.some((n) => !(n >= 0 && n <= MOST_PADDING))) {
    complain(call, `pads must be ${2 * dims} numbers ≥ 0`, `${pads}`, "Export it again.");
  }
  return dims === 1
    ? { before: [0, pads[0]!], after: [0, pads[1]!] }
    : { before: [pads[0]!, pads[1]!], after: [pads[2]!, pads[3]!] };
}

const MOST_PADDING = 1 << 20; // our choice

function needKernel(call: Call): never {
  return complain(call, "it must have a kernel_shape", "none", "Export the model again.");
}
