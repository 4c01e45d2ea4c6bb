import { forwardRows, gradientRows, weightedRows } from "./convolution-rows.ts";
import type { Layer } from "./layers.ts";
import { leastSquares, product, type SparseRows, transposedProduct } from "./least-squares.ts";
import type { Known, Place } from "./place.ts";

const SOLVER = {
  tolerance: 1e-7, // our choice: what float32 gradients are exact to
  most: 3000, // our choice: iterations; a barely determined first layer needs about 2500
};

/** One layer's equations, how many values they are for, and how well they hold together. */
export interface SolvedSystem {
  /** The layer's weight. */
  readonly of: string;
  readonly equations: number;
  readonly unknowns: number;
  readonly relativeResidual: number;
}

/**
 * The input of a convolution from its output, its weight and its weight's gradient: least squares over all equations.
 *
 * conv(x, W)_i = z_i − b for every output that is known, conv-weight(x, δ)_j = dW_j for every weight. Each equation is
 * divided by the length of its coefficients, and the first kind multiplied by how sure z is (our choices).
 * Result: the place before, and what was solved for it. `start` is the value where nothing is known.
 */
export function convolutionInput(
  layer: Extract<Layer, { kind: "conv" }>,
  { values, trust, delta }: Place,
  { params, update }: Known,
  { start }: { readonly start: number },
): { readonly before: Place; readonly system: SolvedSystem } {
  const shape = { ...layer, kernel: params[layer.weight]!.shape };
  const forward = forwardRows(shape, params[layer.weight]!.data);
  const gradient = gradientRows(shape, delta);
  const lengths = rowLengths(forward);
  const ofOutputs = trust.map((t, i) => (lengths[i]! > 0 ? t / lengths[i]! : 0));
  const ofWeights = rowLengths(gradient).map((length) => (length > 0 ? 1 / length : 0));
  const bias = layer.bias === undefined ? undefined : params[layer.bias]!.data;
  const perChannel = layer.to[1]! * layer.to[2]!;
  const outputs = values.map((z, i) => (z - (bias?.[Math.floor(i / perChannel)] ?? 0)) * ofOutputs[i]!);
  const weights = ofWeights.map((factor, j) => update[layer.weight]!.data[j]! * factor);
  const rows = weightedRows([
    { rows: forward, factors: ofOutputs },
    { rows: gradient, factors: ofWeights },
  ]);
  const goal = Float64Array.from([
    ...outputs.filter((_, i) => ofOutputs[i] !== 0),
    ...weights.filter((_, j) => ofWeights[j] !== 0),
  ]);
  const solution = leastSquares(rows, goal, new Float64Array(rows.width).fill(start), SOLVER);
  return {
    before: { values: solution.x, trust: solution.x.map(() => 1), delta: transposedProduct(forward, delta) },
    system: {
      of: layer.weight,
      equations: goal.length,
      unknowns: rows.width,
      relativeResidual: solution.relativeResidual,
    },
  };
}

function rowLengths(rows: SparseRows): Float64Array {
  const squares = { ...rows, values: rows.values.map((v) => v * v) };
  return product(squares, new Float64Array(rows.width).fill(1)).map(Math.sqrt);
}
