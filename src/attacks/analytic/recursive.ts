import { float32, type Shape, type Tensor } from "../../tensor/index.ts";
import { invert } from "./activation-inverse.ts";
import { convolutionInput, type SolvedSystem } from "./convolution-input.ts";
import { GREY, grey } from "./grey.ts";
import type { Layer } from "./layers.ts";
import type { Leak } from "./leak.ts";
import { outerResidual } from "./outer-residual.ts";
import type { Known, Place } from "./place.ts";

/**
 * The one image of a batch of one, from the last layer back to the first, in float64.
 *
 * At the head δ = db (of softmax and cross-entropy). A linear layer gives its input exactly: x = dWᵀ·δ/‖δ‖². An activation
 * is inverted, and δ multiplied by its derivative. A convolution's input is the least-squares solution of what is linear in
 * it: conv(x, W) + b = z and conv-weight(x, δ) = dW. Then δ goes back: δ ← Wᵀ·δ.
 * layers: from the image to the logits, the last one linear with bias. shape [1,C,H,W]. Result: not put into [0,1].
 * Source: Zhu and Blaschko, "R-GAP: recursive gradient attack on privacy", ICLR 2021. Differs: softmax over N classes,
 * where the paper has one logit, so that δ comes from the bias; sparse LSQR in place of a pseudoinverse, with rows
 * weighted by how sure they are (our choice); where equations are too few, the solution nearest to mid-grey.
 */
export function recursiveInversion(layers: readonly Layer[], known: Known, shape: Shape): Leak {
  const systems: SolvedSystem[] = [];
  let linear = 0; // the largest relative residual of the linear layers
  const head = layers.at(-1)!;
  let place: Place = atLogits(head, known);
  for (const [i, layer] of [...layers.entries()].reverse()) {
    if (layer.kind === "activation") place = invert(layer, place);
    else if (layer.kind === "linear") {
      const before = linearInput(layer, place, known);
      linear = Math.max(linear, outerResidual(known.update[layer.weight]!.data, place.delta, before.values));
      place = before;
    } else {
      const { before, system } = convolutionInput(layer, place, known, { start: i === 0 ? GREY : 0 });
      place = before;
      systems.push(system);
    }
  }
  const relativeResidual = Math.max(linear, ...systems.map((system) => system.relativeResidual));
  if (!place.values.every(Number.isFinite)) return { images: grey(shape), found: 0, relativeResidual, about: FAILED };
  const unique = systems.every(({ equations, unknowns }) => equations >= unknowns);
  const about = [unique ? UNIQUE : AMBIGUOUS, ...tightest(systems), residualText(relativeResidual)].join("; ");
  return { images: float32(shape, place.values), found: unique ? 1 : 0, relativeResidual, about };
}

const residualText = (residual: number) => `largest relative residual ${residual.toExponential(1)}`;

/** The layer with the fewest equations for its unknowns, in words. */
function tightest(systems: readonly SolvedSystem[]): string[] {
  const [least] = [...systems].sort((a, b) => a.equations / a.unknowns - b.equations / b.unknowns);
  if (!least) return [];
  return [`fewest for ${least.of}: ${least.equations} equations, ${least.unknowns} unknowns`];
}

const UNIQUE = "1 of 1, layer by layer";
const AMBIGUOUS = "one of many images that fit: equations are too few";
const FAILED = "0 of 1: the recursion lost its numbers, the update does not fit the weights";

function atLogits(head: Layer, { update }: Known): Place {
  const delta = head.kind === "linear" && head.bias !== undefined ? Float64Array.from(update[head.bias]!.data) : [];
  const unknown = new Float64Array(delta.length);
  return { values: unknown, trust: unknown, delta: Float64Array.from(delta) };
}

/** x = dWᵀ·δ/‖δ‖², and Wᵀ·δ. */
function linearInput({ weight }: Layer & { kind: "linear" }, { delta }: Place, { params, update }: Known): Place {
  const square = delta.reduce((sum, d) => sum + d * d, 0);
  const values = weightedRowSum(update[weight]!, delta).map((v) => v / square);
  return { values, trust: values.map(() => 1), delta: weightedRowSum(params[weight]!, delta) };
}

/** Mᵀ·δ: matrix [O,I], delta [O] → [I]. */
function weightedRowSum({ data, shape }: Tensor<"float32">, delta: Float64Array): Float64Array {
  const width = shape[1]!;
  const sum = new Float64Array(width);
  for (let j = 0; j < delta.length; j++) {
    for (let k = 0; k < width; k++) sum[k]! += delta[j]! * data[j * width + k]!;
  }
  return sum;
}
