import type { Node } from "../graph/index.ts";
import { countElements, type Mode, type Model } from "../nn/index.ts";
import { numbers, sameShape, shapeText, type Tensor, type Tensors } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { goldenModel } from "./golden-models.ts";
import { goldenFeeds, goldenStep } from "./golden-step.ts";
import { goldenTensor } from "./golden-tensor.ts";

/** Computes outputs by name from feeds by input name: `evaluate`, or `compile` and one run. */
export type Evaluator = (outputs: Readonly<Record<string, Node>>, feeds: Tensors) => Tensors | Promise<Tensors>;

/** How far this program's numbers are from the golden ones: relative errors ‖ours − golden‖₂/‖golden‖₂. */
export interface GoldenErrors {
  /** The file's name of its model. */
  readonly model: string;
  readonly mode: Mode;
  /** The number of trained numbers. */
  readonly parameters: number;
  /** The larger one of the true batch's and the candidate's. */
  readonly logits: number;
  /** Likewise. */
  readonly loss: number;
  /** The largest one over all parameters, for both batches. */
  readonly gradients: number;
  /** The largest one of the distance's parts and their sum. */
  readonly distance: number;
  /** Of the second-order gradient, d distance / d candidate batch. */
  readonly dx: number;
  /** By the golden tensor's name. */
  readonly each: Readonly<Record<string, number>>;
}

/**
 * Computes one attack step as a golden file describes it and compares every number with the file's.
 *
 * Total distance = mean|g' − ĝ| + (1 − cos(g', ĝ)) + 1e-2·TV(x'), over all parameters jointly; dx = ∂ total/∂x'.
 * tensors, metadata: what readSafetensors gives for the file. Throws when its model is unknown here or a tensor missing or
 * of another shape.
 * The golden numbers were rounded to float32: exact arithmetic still differs from them by up to 6e-8.
 */
export async function verifyGolden(
  tensors: Tensors,
  metadata: Readonly<Record<string, string>>,
  evaluator: Evaluator,
): Promise<GoldenErrors> {
  const name = metadata.model ?? "";
  return verifyModel(goldenModel(name, tensors), name, modeOf(metadata), tensors, evaluator);
}

/**
 * Likewise for a model that is given; tensors then holds its parameters as `param.…` and its buffers as `buffer.…`.
 *
 * A file without any of the candidate's gradients (`dummy.grad.…`) is compared without them.
 */
export async function verifyModel(
  model: Model,
  name: string,
  mode: Mode,
  tensors: Tensors,
  evaluator: Evaluator,
): Promise<GoldenErrors> {
  const step = goldenStep(model, mode, goldenTensor(tensors, "x").shape);
  const candidate = /^dummy\.grad\./;
  const whole = Object.keys(tensors).some((key) => candidate.test(key));
  const outputs = Object.fromEntries(Object.entries(step).filter(([key]) => whole || !candidate.test(key)));
  const results = await evaluator(outputs, goldenFeeds(model, tensors));
  const wholeGradient = Math.hypot(...model.params.map(({ name }) => normOf(goldenTensor(tensors, `grad.${name}`))));
  const each = Object.fromEntries(
    Object.keys(outputs).map((key) => {
      const least = /^(dummy\.)?grad\./.test(key) ? wholeGradient : 0;
      return [key, relativeError(key, results[key]!, goldenTensor(tensors, key), least)];
    }),
  );
  const worst = (pattern: RegExp) =>
    Math.max(
      ...Object.entries(each)
        .filter(([key]) => pattern.test(key))
        .map(([, error]) => (Number.isNaN(error) ? Number.POSITIVE_INFINITY : error)),
    );
  return {
    model: name,
    mode,
    parameters: countElements(model.params),
    logits: worst(/^(dummy\.)?logits$/),
    loss: worst(/^(dummy\.)?loss$/),
    gradients: worst(/^(dummy\.)?grad\./),
    distance: worst(/^dist\.(l1|cos|tv|total)$/),
    dx: worst(/^dist\.dx$/),
    each,
  };
}

const ROUNDING = 1e-12; // of a sum in float64 (our choice); a golden gradient below that share of the whole one is 0

function normOf(tensor: Tensor): number {
  return Math.hypot(...numbers(tensor));
}

/**
 * ‖ours − golden‖₂/‖golden‖₂; 0 when both are zero. Throws when the shapes differ.
 *
 * Where the golden one is 0 but for rounding, compared with `whole` (a bias before BatchNorm has no effect, so its
 * gradient is what rounding leaves of one), the difference is compared with `whole`.
 */
function relativeError(name: string, ours: Tensor, golden: Tensor, whole: number): number {
  if (!sameShape(ours.shape, golden.shape)) {
    fail({
      who: "verify",
      must: `the golden file's "${name}" must have shape ${shapeText(ours.shape)}`,
      got: shapeText(golden.shape),
      remedy: "Write the file again.",
    });
  }
  const [a, b] = [numbers(ours), numbers(golden)];
  let [difference, size] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    size += b[i]! ** 2;
  }
  const norm = Math.sqrt(size);
  return difference === 0 ? 0 : Math.sqrt(difference) / (norm < ROUNDING * whole ? whole : norm);
}

/** The mode that a golden file says its numbers are of. */
export function modeOf(metadata: Readonly<Record<string, string>>): Mode {
  const { mode } = metadata;
  if (mode === "train" || mode === "eval") return mode;
  return fail({
    who: "verify",
    must: 'the golden file\'s metadata must say mode "train" or "eval"',
    got: mode === undefined ? "nothing" : `"${mode}"`,
    remedy: "Write the file again.",
  });
}
