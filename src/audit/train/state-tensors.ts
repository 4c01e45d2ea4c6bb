/** The state of a training as the tensors of a checkpoint: param.*, buffer.*, memory.*, and client.<u>.* for what clients keep. */
import { prefixed, type TrainingState, type Weights, withPrefix } from "../../fl/index.ts";
import type { Tensors } from "../../tensor/index.ts";

const [PARAM, BUFFER, MEMORY] = ["param.", "buffer.", "memory."] as const;

/** A state of training as the tensors of a checkpoint; `stateOf` reads them back. */
export function tensorsOf({ weights: { params, buffers }, memory }: TrainingState): Tensors<"float32"> {
  return { ...prefixed(PARAM, params), ...prefixed(BUFFER, buffers), ...prefixed(MEMORY, memory) };
}

/** `steps`: done before, from which the optimiser counts on. */
export function stateOf(tensors: Tensors<"float32">, steps: number): TrainingState {
  return { weights: weightsOf(tensors), memory: withPrefix(MEMORY, tensors), steps };
}

/** The weights among the tensors of a checkpoint. */
export function weightsOf(tensors: Tensors<"float32">): Weights {
  return { params: withPrefix(PARAM, tensors), buffers: withPrefix(BUFFER, tensors) };
}

/** What begins the names of the tensors that a client keeps. */
export function clientPrefix(client: number): string {
  return `client.${client}.`;
}
