import type { Evaluation, Weights } from "../../fl/index.ts";
import { chain, clip, constant, cosine, type Schedule, sgd, step, type Transform } from "../../optim/index.ts";
import type { Tensors } from "../../tensor/index.ts";
import type { Assumption } from "../record-schema.ts";
import type { Captured } from "./capture.ts";
import type { AppliedDefence } from "./record.ts";
import type { TrainSpec } from "./spec.ts";

/** A training that can be advanced one step or round at a time. All that changes is its tensors. */
export interface TrainingTask {
  readonly unit: "step" | "round";
  /** Before the first step or round. */
  readonly initial: Tensors<"float32">;
  /** Images of each class of each client; of all images in one row when there are no clients. */
  readonly counts: readonly (readonly number[])[];
  /** What the clients do to what they send, and what that costs in privacy; for the ledger. */
  readonly assumptions: readonly Assumption[];
  /** The clients' defences in the next round, every setting told. */
  defences(tensors: Tensors<"float32">): readonly AppliedDefence[];
  /** Does step or round number `done` (from 0). */
  advance(tensors: Tensors<"float32">, done: number): Promise<Advance>;
  /** Accuracy on the public split, on `most` of its images at most, after `done` steps or rounds. */
  measure(tensors: Tensors<"float32">, done: number, most?: number): Promise<Evaluation>;
  /** Accuracy on the test set, if there is one. */
  test(tensors: Tensors<"float32">, done: number): Promise<Evaluation | undefined>;
  /** What a server would store as the model. */
  weights(tensors: Tensors<"float32">): Weights;
  release(): Promise<void>;
}

/** What one step or round came to. */
export interface Advance {
  readonly tensors: Tensors<"float32">;
  /** Mean cross-entropy of the images trained on, before each step. */
  readonly loss: number;
  /** The share of them that was classified rightly, where it is known. */
  readonly trainAccuracy?: number;
  readonly learningRate: number;
  /** Whether all numbers are finite; if not, the tensors are of no use. */
  readonly finite: boolean;
  /** What the captured client sent. */
  readonly captured?: Captured;
}

/** The rule of descent that a spec asks for: clipping first, then decay and momentum. */
export function optimiserOf({ optimiser: { clip: limit, momentum, weightDecay } }: TrainSpec): Transform {
  const descent = sgd({ momentum, weightDecay });
  return limit === null ? descent : chain(clip(limit), descent);
}

/** The factor on the learning rate by step or round. */
export function scheduleOf({ optimiser, length }: TrainSpec): Schedule {
  return optimiser.schedule === "cosine" ? cosine(length) : optimiser.schedule === "step" ? step(length) : constant();
}
