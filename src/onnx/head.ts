import { fail } from "../util/index.ts";
import type { FileNode, OnnxFile } from "./file.ts";

/** The last linear layer of a classifier. */
export interface Head {
  /** The value that holds the logits. */
  readonly logits: string;
  /** The value that the layer takes. */
  readonly features: string;
  /** The file's names of its weight and bias. */
  readonly weight: string;
  readonly bias: string | undefined;
  /** How the file holds the weight: rows are classes, columns are, or a 1×1 kernel. */
  readonly form: "rows" | "columns" | "kernel";
  /** The operator after it that makes probabilities, if there is one. */
  readonly softmax: string | undefined;
}

const AFTER = new Set(["Softmax", "LogSoftmax", "ai.onnx.ml.Normalizer", "ai.onnx.ml.ZipMap"]);
const PASSES = new Set(["Identity", "Dropout", "Cast", "Flatten", "Squeeze", "Unsqueeze", "Reshape"]);
const POOLS = new Set(["GlobalAveragePool", "ReduceMean"]);

/** The head that `output` comes from; throws FedleakError when there is none. */
export function headOf(file: OnnxFile, output: string): Head {
  const makers = new Map(file.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const maker = (name: string) => makers.get(name);
  let [at, softmax] = [output, undefined as string | undefined];
  for (let node = maker(at); node && (PASSES.has(node.type) || AFTER.has(node.type)); node = maker(at)) {
    if (AFTER.has(node.type)) softmax = node.type;
    at = node.inputs[0]!;
  }
  const node = maker(at);
  const found = node && layerOf(file, node, maker);
  if (found) return { ...found, logits: at, softmax };
  return fail({
    who: `onnx ${file.name}`,
    must: `output "${output}" must come from a linear layer (Gemm, MatMul or a 1×1 Conv on one pixel)`,
    got: node?.title ?? "no node",
    remedy: headRemedy(node),
  });
}

function headRemedy(node: FileNode | undefined): string {
  if (node?.type === "Sigmoid") {
    return "Models with one probability are not supported: train with two logits and cross-entropy, and export those.";
  }
  if (node && POOLS.has(node.type)) return "Pool before the last layer, not after it.";
  return "Export a classifier's logits, or name the output that holds them.";
}

type Layer = Omit<Head, "logits" | "softmax">;

/** The linear layer that ends in this node: a product with a weight, and a bias added to it. */
function layerOf(file: OnnxFile, node: FileNode, maker: (name: string) => FileNode | undefined): Layer | undefined {
  const [a = "", b = "", c] = node.inputs;
  const tensor = (name: string) => file.initializers.get(name) ?? maker(name)?.attributes.tensor("value");
  if (node.type === "Gemm") {
    if (!tensor(b)) return turned(maker(b), a, c);
    return { features: a, weight: b, bias: c || undefined, form: node.attributes.int("transB") ? "rows" : "columns" };
  }
  if (node.type === "MatMul") {
    return tensor(b) ? { features: a, weight: b, bias: undefined, form: "columns" } : turned(maker(b), a, undefined);
  }
  if (node.type === "Conv") {
    const kernel = tensor(b)?.shape.slice(2);
    const point = kernel?.every((n) => n === 1) && (node.attributes.int("group") ?? 1) === 1;
    return point ? { features: a, weight: b, bias: c || undefined, form: "kernel" } : undefined;
  }
  if (node.type !== "Add") return undefined;
  const [product, bias] = tensor(b) ? [a, b] : [b, a];
  const below = maker(product);
  const layer = below && tensor(bias) && below.type !== "Add" ? layerOf(file, below, maker) : undefined;
  return layer && layer.bias === undefined ? { ...layer, bias } : undefined;
}

/** A product with a weight that a Transpose turns first. */
function turned(node: FileNode | undefined, features: string, bias: string | undefined): Layer | undefined {
  if (node?.type !== "Transpose") return undefined;
  return { features, weight: node.inputs[0]!, bias: bias || undefined, form: "rows" };
}
