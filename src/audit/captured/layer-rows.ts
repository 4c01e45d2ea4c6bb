import type { Model } from "../../nn/index.ts";
import { numericRank } from "./rank.ts";
import type { CapturedUpdate } from "./read.ts";
import { rowLayers } from "./row-layers.ts";

/** One parameter of a captured update, in numbers. */
export interface LayerRow {
  readonly name: string;
  readonly shape: readonly number[];
  /** ‖ĝ‖ of this tensor; null: it was not sent. */
  readonly norm: number | null;
  /** ‖w‖ of what was handed out. */
  readonly weightNorm: number;
  /** Entries of ĝ that are exactly 0, of all; NaN and infinity. */
  readonly zeros: number;
  readonly notFinite: number;
  /** Of the tensor's change, the share that may be rounding; 0 where gradients were sent. */
  readonly rounding: number;
  /** Of linear layers that take one row an image, the first few and the last: the gradient's numeric rank, at most `rankLimit`; null: not looked at. */
  readonly rank: number | null;
  readonly rankLimit: number | null;
}

/** A row for each parameter, in the model's order. */
export function layerRows(captured: CapturedUpdate): LayerRow[] {
  const { network, before, estimate, manifest } = captured;
  const linear = rowLayers(network);
  const ranked = new Set([...linear.slice(0, FIRST), ...linear.slice(-1)]);
  const most = Math.min(MOST_RANK, Math.max(LEAST_RANK, (passesOf(captured) ?? 0) + 1));
  return network.params.map(({ name, shape }) => {
    const weightNorm = normOf(before.params[name]!.data);
    const gradient = estimate.update[name];
    if (!gradient) return { ...EMPTY, name, shape, weightNorm };
    const norm = normOf(gradient.data);
    const notFinite = count(gradient.data, (v) => !Number.isFinite(v));
    const rounding = manifest.sent === "gradient" ? 0 : roundingOf(captured, name);
    const row = { name, shape, weightNorm, norm, zeros: count(gradient.data, (v) => v === 0), notFinite, rounding };
    if (!ranked.has(name) || notFinite > 0 || shape.length !== 2) return { ...row, rank: null, rankLimit: null };
    const rankLimit = Math.min(most, ...shape);
    const tolerance = Math.max(SURE, ROUNDING_MARGIN * rounding, DECAY_MARGIN * decayLeft(captured));
    const rank = numericRank(gradient.data, shape as [number, number], { tolerance, most: rankLimit });
    return { ...row, rank, rankLimit };
  });
}

/** How often an image went through the network, over all local steps; undefined: not known. */
export function passesOf({ manifest: { batchSize, localSteps } }: CapturedUpdate): number | undefined {
  return batchSize === null ? undefined : batchSize * localSteps;
}

/** What is left of weight decay in the estimate, relative to the gradient: the steps' weights are not their middle. */
function decayLeft({ manifest: { sent, localSteps, learningRate, optimiser } }: CapturedUpdate): number {
  if (sent === "gradient" || localSteps === 1) return 0;
  return (optimiser.weightDecay * (learningRate ?? 1) * localSteps) / (1 - optimiser.momentum);
}

const EMPTY = { norm: null, zeros: 0, notFinite: 0, rounding: 0, rank: null, rankLimit: null } as const;
const FIRST = 2; // linear layers whose rank is looked at, beside the last; our choice
const LEAST_RANK = 32; // our choice: enough to tell small batches without a batch size
const MOST_RANK = 128; // our choice, for the time it takes
const SURE = 1e-4; // of the largest row: float32 sums are 100 times more exact; our choice
const DECAY_MARGIN = 3; // our choice
const ROUNDING_MARGIN = 10; // our choice: rows that matter little have a larger share of rounding

function roundingOf({ after, before }: CapturedUpdate, name: string): number {
  const [w, moved] = [before.params[name]!.data, after?.[name]?.data];
  if (!moved) return 0;
  const change = normOf(moved.map((v, i) => v - w[i]!));
  return change === 0 ? 1 : Math.min(1, (normOf(w) * 2 ** -24) / change); // 2⁻²⁴: of a float32, relative
}

/** The Euclidean norm of all values, ≥ 0. */
export function normOf(data: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < data.length; i++) squares += data[i]! * data[i]!;
  return Math.sqrt(squares);
}

function count(data: Float32Array, is: (value: number) => boolean): number {
  let total = 0;
  for (const v of data) if (is(v)) total++;
  return total;
}

/** The numbers of an update that are not 0, and those that are sought. */
export function equationsOf(rows: readonly LayerRow[], model: Model, images: number | undefined) {
  const equations = rows.reduce((sum, { norm, shape, zeros }) => sum + (norm === null ? 0 : product(shape) - zeros), 0);
  const image = product(model.inputShape);
  return { equations, unknowns: images === undefined ? null : images * image, image };
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
