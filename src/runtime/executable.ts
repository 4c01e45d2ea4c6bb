import type { Node } from "../graph/index.ts";
import type { Tensors } from "../tensor/index.ts";
import type { Device } from "./devices.ts";
import { type Lowered, lower } from "./lower/index.ts";
import { hideShapes } from "./onnx/hide-shapes.ts";
import { completed, type External, modelBytes, type OnnxModel, type ValueInfo } from "./onnx/model-file.ts";

/** A program as onnxruntime opens it. */
export interface Executable {
  /** An ONNX file, and the large tensors that it refers to. */
  readonly bytes: Uint8Array;
  readonly external: readonly External[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly cpuOnly: readonly string[];
  /** Too many nodes for onnxruntime's optimiser. */
  readonly large: boolean;
}

/** What a program is asked to be. */
export interface Asked {
  readonly outputs: Readonly<Record<string, Node>>;
  readonly bake: Tensors;
  /** Of `bake`, what may be computed with while lowering; undefined: everything. */
  readonly weights?: readonly string[] | undefined;
  readonly device: Device;
  readonly threads: number;
}

// onnxruntime's own optimiser is superlinear in nodes and gains about 8 % (measured); above this many nodes it is off.
const LARGE_GRAPH = 6000;

/** The program of a graph. */
export function assembled(asked: Pick<Asked, "outputs" | "bake" | "weights" | "device" | "threads">): Executable {
  const { given, ...parts } = assemble(lower(asked.outputs, asked.bake, asked.weights, asked), asked.device);
  return executable(parts, given);
}

/** All of a program but the tensors in `given`. */
export function assemble(lowered: Lowered, device: Device): Executable & Pick<OnnxModel, "given"> {
  const { graph, external, given, inputs, outputs, cpuOnly, nodes } = lowered;
  const large = nodes > LARGE_GRAPH;
  const hidden = large && device === "cpu"; // WebGPU would compute shapes on the processor, between its kernels
  const bytes = modelBytes(hidden ? hideShapes(graph) : graph, { inputShapes: !hidden });
  return { bytes, external, given, inputs, outputs, cpuOnly, large };
}

/** The program with the given tensors in it. */
export function executable(parts: Executable, given: OnnxModel["given"]): Executable {
  return { ...parts, ...completed(parts.bytes, parts.external, given) };
}
