/**
 * How a network is written once and used twice: a function of a `Scope` that asks for named tensors.
 *
 * `declare` runs it to learn which tensors it needs; `run` runs it again with nodes for them.
 */
import { describe, input, type Node } from "../graph/index.ts";
import { type Shape, sameShape, shapeText } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import type { Init } from "./init.ts";

/** Whether BatchNorm normalises by the batch ("train") or by its running statistics ("eval"). */
export type Mode = "train" | "eval";

/** A named tensor of a network, as PyTorch's state dict names it (`layer1.0.conv1.weight`), and how it starts. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly init: Init;
}

/** What one BatchNorm saw: mean and biased variance per channel, [C] each, over `count` = B·H·W values. */
export interface BatchStatistics {
  readonly mean: Node;
  readonly variance: Node;
  readonly count: number;
}

/** One module's view of the network's tensors: names are relative to it. */
export interface Scope {
  /** The module's full name, "" at the root. */
  readonly name: string;
  readonly mode: Mode;
  /** The scope of a submodule; `child` may hold dots. */
  at(child: string): Scope;
  /** A trained tensor. */
  param(name: string, shape: Shape, init: Init): Node;
  /** A tensor that is kept beside the trained ones. */
  buffer(name: string, shape: Shape, init: Init): Node;
  /** Reports the output of a nonlinearity; returns it. */
  noteActivation(value: Node): Node;
  /** Reports the batch statistics of this module. */
  noteStatistics(statistics: BatchStatistics): void;
  /** Reports what a buffer of this module is to be after this run. */
  noteBuffer(name: string, value: Node): void;
}

/** What the modules of a run reported beside the result. */
export interface Notes {
  /** In the order of the run. */
  readonly activations: readonly Node[];
  /** By module name. */
  readonly statistics: Readonly<Record<string, BatchStatistics>>;
  /** Next values by buffer name. */
  readonly buffers: Readonly<Record<string, Node>>;
}

/** The tensors a network asks for, in the order it asks. Throws when it asks for one name twice. */
export function declare(network: (scope: Scope) => unknown): { params: TensorSpec[]; buffers: TensorSpec[] } {
  const params = new Map<string, TensorSpec>();
  const buffers = new Map<string, TensorSpec>();
  const collectIn = (specs: Map<string, TensorSpec>) => (spec: TensorSpec) => {
    if (params.has(spec.name) || buffers.has(spec.name)) {
      fail({ who: "network", must: "names must differ", got: `"${spec.name}" twice`, remedy: "Rename one module." });
    }
    specs.set(spec.name, spec);
    return input(spec.name, spec.shape);
  };
  trace(network, { param: collectIn(params), buffer: collectIn(buffers), mode: "train" });
  return { params: [...params.values()], buffers: [...buffers.values()] };
}

/** What a network runs on: a node for each of its tensors, by name. */
export interface Supplies {
  readonly params: Readonly<Record<string, Node>>;
  readonly buffers: Readonly<Record<string, Node>>;
  readonly mode: Mode;
}

/** The network's result on the given nodes, and what its modules reported. Throws when a node is missing or misshapen. */
export function run<T>(network: (scope: Scope) => T, { params, buffers, mode }: Supplies): { result: T } & Notes {
  return trace(network, { param: lookUpIn("params", params), buffer: lookUpIn("buffers", buffers), mode });
}

interface Source {
  readonly param: (spec: TensorSpec) => Node;
  readonly buffer: (spec: TensorSpec) => Node;
  readonly mode: Mode;
}

function trace<T>(network: (scope: Scope) => T, source: Source): { result: T } & Notes {
  const activations: Node[] = [];
  const statistics: Record<string, BatchStatistics> = {};
  const buffers: Record<string, Node> = {};
  const scopeOf = (module: string): Scope => {
    const full = (name: string) => (module === "" ? name : `${module}.${name}`);
    return {
      name: module,
      mode: source.mode,
      at: (child) => scopeOf(full(child)),
      param: (name, shape, init) => source.param({ name: full(name), shape, init }),
      buffer: (name, shape, init) => source.buffer({ name: full(name), shape, init }),
      noteActivation: (value) => {
        activations.push(value);
        return value;
      },
      noteStatistics: (seen) => {
        statistics[module] = seen;
      },
      noteBuffer: (name, value) => {
        buffers[full(name)] = value;
      },
    };
  };
  return { result: network(scopeOf("")), activations, statistics, buffers };
}

function lookUpIn(what: "params" | "buffers", nodes: Readonly<Record<string, Node>>): (spec: TensorSpec) => Node {
  return ({ name, shape }) => {
    const node = nodes[name];
    if (!node || !sameShape(node.shape, shape)) {
      return fail({
        who: "network",
        must: `${what} must hold "${name}" of shape ${shapeText(shape)}`,
        got: node ? describe(node) : "nothing",
        remedy: "Pass the tensors of this model, built with the same options.",
      });
    }
    return node;
  };
}
