import { float32, type Shape, type Tensor } from "../../tensor/index.ts";
import { grey } from "./grey.ts";
import type { Leak } from "./leak.ts";
import { outerResidual } from "./outer-residual.ts";

const FAINTEST = 1e-5; // our choice: of the largest |db|; fainter units are float32 rounding
const RANGE = 1e-3; // our choice: how far a pixel may lie outside [0,1]; rounding stays far below
const AGREEMENT = 1e-4; // our choice: how far two units' pixels may differ; rounding stays below, mixtures above

/**
 * The images that the gradient of a first linear layer with bias spells out: x = dW_j/db_j.
 *
 * With z = W·x + b and δ = ∂L/∂z, dW_j = Σ_b δ_bj·x_b and db_j = Σ_b δ_bj. One image: every unit gives it; their least
 * squares is x = Σ_j db_j·dW_j/Σ_j db_j², exact up to rounding. Several: a unit that fires for one image alone gives that
 * image, any other a mixture. Ratios outside [0,1] are dropped, equal ones counted once; those that most units agree on
 * come first, since no two mixtures are equal, then those of the largest |db|.
 * weightGradient [M,C·H·W], biasGradient [M], shape [B,C,H,W]. Result: up to B images, not put into [0,1].
 * Source: Phong et al. 2017; Geiping et al. 2020, Proposition 3.1; several images: Boenisch et al. 2023, Fowl et al. 2022,
 * both with weights that the server has tampered with. Differs (our choice): weights as they are, and the ranking.
 */
export function linearLeak(weightGradient: Tensor<"float32">, biasGradient: Tensor<"float32">, shape: Shape): Leak {
  const batchSize = shape[0]!;
  if (batchSize === 1) {
    const x = nearestRatio(weightGradient.data, biasGradient.data);
    if (!x) return { ...NOTHING, images: grey(shape), about: "0 of 1: no unit of the first layer has a gradient" };
    const relativeResidual = outerResidual(weightGradient.data, biasGradient.data, x);
    const about = "1 of 1: the ratio of weight and bias gradients";
    return { images: float32(shape, x), found: 1, relativeResidual, about };
  }
  const groups = agreeing(plausible(weightGradient, biasGradient)).slice(0, batchSize);
  const sure = groups.filter(({ units }) => units > 1).length;
  return {
    images: grey(
      shape,
      groups.map(({ pixels }) => pixels),
    ),
    found: sure,
    relativeResidual: 0,
    about:
      `${sure} of ${batchSize} on which several units of the first layer agree, ` +
      `${groups.length - sure} places hold what a single unit tells, most likely a mixture, ` +
      `${batchSize - groups.length} are grey`,
  };
}

const NOTHING = { found: 0, relativeResidual: 0 } as const;

/** Σ_j db_j·dW_j/Σ_j db_j² in float64; undefined when all db are 0. */
function nearestRatio(weight: Float32Array, bias: Float32Array): Float64Array | undefined {
  const width = weight.length / bias.length;
  const sum = new Float64Array(width);
  let total = 0;
  bias.forEach((db, j) => {
    total += db * db;
    for (let k = 0; k < width; k++) sum[k]! += db * weight[j * width + k]!;
  });
  return total === 0 ? undefined : sum.map((value) => value / total);
}

/** An image that units tell, and how many do. */
interface Group {
  readonly pixels: Float32Array;
  readonly units: number;
}

/** dW_j/db_j of the units that are not faint and give pixels in [0,1], largest |db_j| first. */
function plausible({ data: weight }: Tensor<"float32">, { data: bias }: Tensor<"float32">): Float32Array[] {
  const width = weight.length / bias.length;
  const loudest = bias.reduce((most, db) => Math.max(most, Math.abs(db)), 0);
  return [...bias.keys()]
    .filter((j) => Math.abs(bias[j]!) > FAINTEST * loudest)
    .sort((i, j) => Math.abs(bias[j]!) - Math.abs(bias[i]!))
    .map((j) => weight.subarray(j * width, (j + 1) * width).map((dw) => dw / bias[j]!))
    .filter((pixels) => pixels.every((v) => v >= -RANGE && v <= 1 + RANGE));
}

/** Equal candidates as one, those that most units tell first; among equals the order given. */
function agreeing(candidates: readonly Float32Array[]): Group[] {
  const groups: { pixels: Float32Array; units: number }[] = [];
  for (const pixels of candidates) {
    const same = groups.find((group) => pixels.every((v, k) => Math.abs(v - group.pixels[k]!) <= AGREEMENT));
    if (same) same.units++;
    else groups.push({ pixels, units: 1 });
  }
  return groups.sort((a, b) => b.units - a.units);
}
