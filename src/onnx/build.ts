import type { Node } from "../graph/index.ts";
import type { BatchStatistics, Mode } from "../nn/index.ts";
import { FedleakError, fail } from "../util/index.ts";
import { type Call, complain } from "./call.ts";
import type { OnnxFile } from "./file.ts";
import { refused } from "./instead.ts";
import { COSTLY, OPERATORS } from "./ops/index.ts";
import { checkShape } from "./ops/shape.ts";
import type { Roles } from "./roles.ts";
import { computed, fixedValue, folded, type Value } from "./value.ts";

/** What a file's nodes are computed from. */
export interface Supplies {
  /** The file's input, as it wants it. */
  readonly input: { readonly name: string; readonly node: Node };
  /** By the file's names, in its shapes. */
  readonly params: ReadonlyMap<string, Node>;
  /** By module and PyTorch's names. */
  readonly buffers: Readonly<Record<string, Node>>;
  readonly mode: Mode;
  readonly batch: Call["batch"];
}

/** A graph of a file's nodes. */
export interface Built {
  /** By the file's names. */
  readonly values: ReadonlyMap<string, Value>;
  /** What each BatchNorm saw, by module name; empty in eval mode. */
  readonly statistics: Readonly<Record<string, BatchStatistics>>;
}

/** Builds the graph of all nodes; throws FedleakError, naming the node, for an operator or form that is not read. */
export function build(file: OnnxFile, roles: Roles, { input, params, buffers, mode, batch }: Supplies): Built {
  const values = new Map<string, Value>([[input.name, computed("float", input.node)]]);
  const fixedValues = new Map<string, Value>();
  const statistics: Record<string, BatchStatistics> = {};
  let left = MOST_LISTED;
  const lookUp = (name: string): Value | undefined => {
    const fixed = roles.fixed.get(name);
    if (params.has(name)) return computed("float", params.get(name)!);
    if (!fixed) return values.get(name);
    if (!fixedValues.has(name)) fixedValues.set(name, fixedValue(fixed));
    return fixedValues.get(name);
  };
  for (const node of file.nodes) {
    const who = `onnx ${file.name}: ${node.title} (opset ${file.opset})`;
    const module = roles.modules.get(node);
    const kept = (name: string) => buffers[`${module}.${name}`];
    const inputs = node.inputs.map((name, slot) => {
      const buffer =
        module === undefined
          ? undefined
          : slot === 3
            ? kept("running_mean")
            : slot === 4
              ? kept("running_var")
              : undefined;
      if (buffer) return computed("float", buffer);
      if (name === "") return undefined;
      const must = `its input "${name}" must be given by a node that is read`;
      return lookUp(name) ?? fail({ who, must, got: "an output that is not", remedy: "Export the model without it." });
    });
    const noteStatistics = (seen: BatchStatistics) => {
      statistics[module!] = seen;
    };
    const call: Call = { who, node, inputs, opset: file.opset, mode, batch, noteStatistics };
    const outputs = applied(call);
    node.outputs.forEach((name, i) => {
      const value = outputs[i];
      if (name === "" || !value || params.has(name)) return;
      checkShape(call, value.shape);
      const found = COSTLY.has(node.type) ? value : folded(value, inputs, left);
      left -= node.type === "Constant" ? 0 : newElements(found, inputs);
      if (left < 0)
        complain(call, `a file must work out at most ${MOST_LISTED} numbers`, "more", "Export them as tensors.");
      values.set(name, found);
    });
  }
  return { values, statistics };
}

/** Numbers of shapes and tables that are worked out while a graph is built (our choice): a hundred times what networks need. */
const MOST_LISTED = 1 << 20;

/** How many elements a value lists that none of its inputs does. */
function newElements({ elements }: Value, inputs: readonly (Value | undefined)[]): number {
  return elements && !inputs.some((x) => x?.elements === elements) ? elements.length : 0;
}

function applied(call: Call): readonly (Value | undefined)[] {
  const rule = OPERATORS.get(call.node.type);
  if (!rule) return refused(call.who, call.node);
  try {
    const outputs = rule(call);
    return Array.isArray(outputs) ? outputs : [outputs as Value];
  } catch (cause) {
    if (!(cause instanceof FedleakError) || cause.who === call.who) throw cause;
    // A verb of the graph complains without knowing which node of the file it works for.
    return fail({
      who: call.who,
      must: "its inputs and attributes must fit",
      got: cause.message.replace(/\.$/, ""),
      remedy: "Use the image size that it was exported for, or export it again.",
      cause,
    });
  }
}
