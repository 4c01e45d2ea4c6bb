import { float32, type Tensor } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import type { FileNode, OnnxFile } from "./file.ts";

/**
 * The file with weights where they are looked for, and without the nodes that `output` does not need.
 *
 * Exporters store equal tensors once and refer to them through Identity: each name becomes a tensor of its own again.
 * A linear classifier of scikit-learn becomes a Gemm.
 */
export function tidied(file: OnnxFile, output: string): OnnxFile {
  const wanted = { ...file, nodes: needed(file.nodes, output) };
  const classifiers = wanted.nodes.filter(({ type }) => type === CLASSIFIER);
  const linear = classifiers.slice(0, 1).reduce(withoutClassifier, wanted); // of several, the next is not read
  const alone = withoutAliases(linear);
  return { ...alone, nodes: needed(alone.nodes, output) };
}

/** The nodes that `output` depends on. */
function needed(nodes: readonly FileNode[], output: string): FileNode[] {
  const wanted = new Set([output]);
  const kept = nodes.toReversed().filter((node) => {
    if (!node.outputs.some((name) => wanted.has(name))) return false;
    for (const name of node.inputs) wanted.add(name);
    return true;
  });
  return kept.reverse();
}

/**
 * Without Identities of initializers: where others use the tensor too, the Identity gives a copy of its own name, else it
 * is only a name.
 */
function withoutAliases(file: OnnxFile): OnnxFile {
  const outputs = new Set(file.outputs.map(({ name }) => name));
  const uses = new Map<string, number>();
  for (const name of file.nodes.flatMap(({ inputs }) => inputs)) uses.set(name, (uses.get(name) ?? 0) + 1);
  const initializers = new Map(file.initializers);
  const renamed = new Map<string, string>();
  const nodes: FileNode[] = [];
  for (const node of file.nodes) {
    const inputs = node.inputs.map((name) => renamed.get(name) ?? name);
    const [from = "", to = ""] = [inputs[0], node.outputs[0]];
    const tensor = node.type === "Identity" && !outputs.has(to) ? initializers.get(from) : undefined;
    if (!tensor) nodes.push({ ...node, inputs });
    else if (uses.get(node.inputs[0]!) === 1) renamed.set(to, from);
    else initializers.set(to, tensor);
  }
  return { ...file, nodes, initializers };
}

const CLASSIFIER = "ai.onnx.ml.LinearClassifier";

/** scores = x·coefficientsᵀ + intercepts, then a softmax if the node says so. */
function withoutClassifier(file: OnnxFile, node: FileNode): OnnxFile {
  const who = `onnx ${file.name}: ${node.title}`;
  const [coefficients, intercepts] = [node.attributes.floats("coefficients"), node.attributes.floats("intercepts")];
  const after = node.attributes.text("post_transform") ?? "NONE";
  const classes = intercepts?.length ?? 0;
  if (!coefficients || classes < 2 || coefficients.length % classes !== 0 || !["NONE", "SOFTMAX"].includes(after)) {
    return fail({
      who,
      must: "it must have coefficients and intercepts for 2 classes or more, and post_transform NONE or SOFTMAX",
      got: `${coefficients?.length ?? 0} coefficients, ${classes} intercepts, ${after}`,
      remedy: 'Export it with options={"raw_scores": True}, or train a multinomial model.',
    });
  }
  const [weight, bias] = [`${node.outputs[1]}.coefficients`, `${node.outputs[1]}.intercepts`];
  const tensors: [string, Tensor][] = [
    [weight, float32([classes, coefficients.length / classes], coefficients)],
    [bias, float32([classes], intercepts!)],
  ];
  const scores = node.outputs[1] ?? "";
  const gemm: FileNode = {
    ...node,
    type: "Gemm",
    inputs: [node.inputs[0] ?? "", weight, bias],
    outputs: [scores],
    attributes: { ...NO_ATTRIBUTES, int: (name) => (name === "transB" ? 1 : undefined) },
  };
  const nodes = file.nodes.map((other) => (other === node ? gemm : other));
  return { ...file, nodes, initializers: new Map([...file.initializers, ...tensors]) };
}

const nothing = () => undefined;
const NO_ATTRIBUTES = { int: nothing, float: nothing, ints: nothing, floats: nothing, text: nothing, tensor: nothing };
