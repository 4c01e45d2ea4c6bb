import type { AttrsOf, Node, OpName } from "../../graph/index.ts";
import type { Device } from "../devices.ts";
import type { Emitter } from "../onnx/emitter.ts";

/** Where a program will run: WebGPU has not every operator, and some of the processor's use one thread alone. */
export interface Target {
  readonly device: Device;
  /** 0: one a core. */
  readonly threads: number;
}

/** What a lowering may ask for while it writes the ONNX nodes of one graph node. */
export interface Context extends Emitter {
  /** The value of a node at its full shape. */
  value(node: Node): string;
  /** The value of a node before a broadcast, for ONNX operators that broadcast by themselves. */
  narrow(node: Node): string;
  readonly target: Target;
  /** How many nodes and outputs use a node. */
  uses(node: Node): number;
  /** Whether a gradient by a convolution's weight is made of this image. */
  trains(image: Node): boolean;
  /** The elements of a node that is known at compile time, row-major; undefined of others. */
  constant(node: Node): ArrayLike<number> | undefined;
  /** Whether `constant` knows the elements, without looking at them: a program that depends on them is kept apart. */
  isKnown(node: Node): boolean;
}

/** Writes a node's ONNX form and returns the name of its value. */
export type Lowering<N extends OpName> = (node: Node<AttrsOf<N>>, context: Context) => string;
export type Lowerings<N extends OpName> = { readonly [K in N]: Lowering<K> };
