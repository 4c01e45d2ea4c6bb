import { type Node, topological, verify } from "../graph/index.ts";
import type { Tensors } from "../tensor/index.ts";
import { type Device, deviceError } from "./devices.ts";
import { assembled } from "./executable.ts";
import { type OpenProgram, openSession, type Program } from "./session.ts";
import { assembleStored } from "./stored/assemble-stored.ts";
import type { ProgramStore } from "./stored/store.ts";

export interface CompileOptions {
  /** Inputs that become part of the program, by name: weights, targets. The runtime packs them once. */
  readonly bake?: Tensors;
  /**
   * Of `bake`, the names of the model's weights. Where they are given, nothing is computed of other tensors while compiling: one
   * program serves all of these, and what is kept tells nothing of their elements. Absent: none where there is a store,
   * all where there is none.
   */
  readonly weights?: readonly string[] | undefined;
  readonly device?: Device;
  /** Processor threads; 0 lets the runtime choose: one a core. */
  readonly threads?: number;
  /** Where programs are kept between processes; absent: nowhere. */
  readonly store?: ProgramStore | undefined;
  /** How the program is opened; absent: in this thread. */
  readonly open?: OpenProgram | undefined;
}

const WORTH_KEEPING = 1000; // nodes (our choice): smaller graphs are lowered in less than a tenth of a second

/**
 * Compiles a graph into a program: once, to be run thousands of times.
 *
 * outputs: nodes by name. The inputs are the `input` nodes they depend on, less those in `bake`.
 * Throws FedleakError when the graph does not verify or the device cannot be opened.
 */
export async function compile(
  outputs: Readonly<Record<string, Node>>,
  { bake = {}, weights, device = "cpu", threads = 0, store, open = openSession }: CompileOptions = {},
): Promise<Program> {
  const nodes = Object.values(outputs);
  verify(nodes);
  const kept = store && topological(nodes).length >= WORTH_KEEPING ? store : undefined;
  const asked = { outputs, bake, weights: weights ?? (store && []), device, threads };
  const model = kept ? await assembleStored(asked, kept) : assembled(asked);
  try {
    return await open(model, { device, threads });
  } catch (cause) {
    throw deviceError(device, cause);
  }
}
