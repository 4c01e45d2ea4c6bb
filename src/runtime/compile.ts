import { type Node, verify } from "../graph/index.ts";
import type { Tensors } from "../tensor/index.ts";
import { type Device, deviceError } from "./devices.ts";
import { assemble, executable } from "./executable.ts";
import { lower } from "./lower/index.ts";
import { openSession, type Program } from "./session.ts";

export interface CompileOptions {
  /** Inputs that become part of the program, by name: weights, targets. The runtime packs them once. */
  readonly bake?: Tensors;
  readonly device?: Device;
  /** Processor threads; 0 lets the runtime choose: one a core. */
  readonly threads?: number;
}

/**
 * Compiles a graph into a program: once, to be run thousands of times.
 *
 * outputs: nodes by name. The inputs are the `input` nodes they depend on, less those in `bake`.
 * Throws FedleakError when the graph does not verify or the device cannot be opened.
 */
export async function compile(
  outputs: Readonly<Record<string, Node>>,
  { bake = {}, device = "cpu", threads = 0 }: CompileOptions = {},
): Promise<Program> {
  verify(Object.values(outputs));
  const { given, ...parts } = assemble(lower(outputs, bake), device);
  try {
    return await openSession(executable(parts, given), { device, threads });
  } catch (cause) {
    throw deviceError(device, cause);
  }
}
