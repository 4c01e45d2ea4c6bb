import { input } from "../../graph/index.ts";
import { inputsFor, type Mode, type Model } from "../../nn/index.ts";
import type { Tensors } from "../../tensor/index.ts";
import { FedleakError, fail } from "../../util/index.ts";
import { NEWEST } from "../file.ts";
import { type Batches, batchesOf, FIXED } from "./extents.ts";
import { writeGraph } from "./graph.ts";

export interface ExportOptions {
  /** Images in a batch; undefined: any number. */
  readonly batch?: number;
  /** 17 when not given. */
  readonly opset?: number;
}

/** The name of an exported file's input: images [B,C,H,W]. */
export const EXPORTED_INPUT = "images";
/** The name of an exported file's output: [B,N]. */
export const EXPORTED_OUTPUT = "logits";
/** The oldest opset that is written: reductions take their axes as an input, softmax has one axis. */
export const OLDEST_WRITTEN = 13;

/**
 * The bytes of an ONNX file of a classifier with its weights.
 *
 * Input images [B,C,H,W], output logits [B,N]; parameters and buffers are initializers under the model's names. BatchNorm
 * normalises by its running statistics. `importOnnx` makes the very same graph of it: every number, exact in float64
 * where float32 does not hold it, and every operator come back as they were.
 * Throws FedleakError where a tensor is missing, or the network has an op without a form in ONNX.
 */
export function exportOnnx(
  model: Model,
  weights: { readonly params: Tensors; readonly buffers: Tensors },
  { batch, opset = USUAL_OPSET }: ExportOptions = {},
): Uint8Array {
  const who = `export ${model.name}`;
  checkOptions(who, batch, opset);
  const tensors = { ...weights.params, ...weights.buffers };
  checkNames(who, model, tensors);
  const params = inputsFor(model.params, "");
  const buffers = inputsFor(model.buffers, "");
  const built = (size: number) => {
    const x = input(EXPORTED_INPUT, [size, ...model.inputShape]);
    return { x, logits: model.forward({ params, buffers, x, mode: MODE }).logits };
  };
  const written = (batches: Batches, { x, logits }: ReturnType<typeof built>) =>
    writeGraph({ who, input: x, output: logits, outputName: EXPORTED_OUTPUT, tensors, batches, opset, batch });
  try {
    const [one, other] = [built(SIZES[0]), built(SIZES[1])];
    return written(batchesOf(who, [one.logits, other.logits], SIZES), one);
  } catch (error) {
    if (batch === undefined || !(error instanceof FedleakError)) throw error;
    return written(FIXED, built(batch)); // a network that looks at its batch size
  }
}

const MODE: Mode = "eval";
const USUAL_OPSET = 17; // our choice: the first with LayerNormalization; read by every runtime of the last years
const SIZES = [211, 223] as const; // our choice: primes that no extent of a network is a multiple of by chance

function checkOptions(who: string, batch: number | undefined, opset: number): void {
  if (!Number.isInteger(opset) || opset < OLDEST_WRITTEN || opset > NEWEST) {
    const must = `opset must be ${OLDEST_WRITTEN} to ${NEWEST}`;
    fail({ who, must, got: `${opset}`, remedy: "Leave it away: any reader knows 17." });
  }
  if (batch !== undefined && !(Number.isInteger(batch) && batch >= 1)) {
    fail({ who, must: "batch must be a whole number ≥ 1", got: `${batch}`, remedy: "Leave it away for any size." });
  }
}

function checkNames(who: string, model: Model, tensors: Tensors): void {
  for (const { name, shape } of [...model.params, ...model.buffers]) {
    const found = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    if (found?.shape.join() !== shape.join()) {
      fail({
        who,
        must: `its weights must hold "${name}" of shape [${shape.join(",")}]`,
        got: found ? `[${found.shape.join(",")}]` : "none",
        remedy: "Pass the weights of this model.",
      });
    }
    if (name === EXPORTED_INPUT || name === EXPORTED_OUTPUT || name === "") {
      fail({ who, must: "a tensor must not be called as input or output", got: `"${name}"`, remedy: "Rename it." });
    }
  }
}
