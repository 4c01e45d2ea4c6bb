import type { Mode } from "../nn/index.ts";
import type { Tensor, Tensors } from "../tensor/index.ts";

/** Values of a model's parameters and buffers, by name. */
export interface Weights {
  readonly params: Tensors<"float32">;
  readonly buffers: Tensors<"float32">;
}

/** Some images with their classes. */
export interface Batch {
  /** [B,C,H,W] in [0,1] */
  readonly images: Tensor<"float32">;
  /** B class indices. */
  readonly labels: readonly number[];
}

/** What one BatchNorm saw of the client's batch: mean and biased variance, [C] each. */
export interface ChannelStatistics {
  readonly mean: Tensor<"float32">;
  readonly variance: Tensor<"float32">;
}

/** A defence that clients apply, as whoever dictates it knows it: by name, with all settings and what follows from them. */
export interface KnownDefence {
  readonly name: string;
  readonly settings: Readonly<Record<string, number | string>>;
}

/** Everything a client could send, or that could be known of it, after one round. It holds no image. */
export interface ClientUpdate {
  readonly modelName: string;
  /** How the client's BatchNorm normalised: part of the training configuration, so the server knows it. */
  readonly mode: Mode;
  /** What the server handed out. */
  readonly global: Weights;
  /** The gradient of the mean cross-entropy by each parameter name. */
  readonly update: Tensors<"float32">;
  readonly batchSize: number;
  /** B class indices, in the order of the images. */
  readonly labels: readonly number[];
  /** By module name; empty in eval mode. */
  readonly statistics: Readonly<Record<string, ChannelStatistics>>;
  /** The running statistics after the step, by buffer name; in eval mode those handed out. */
  readonly buffers: Tensors<"float32">;
  /** What all clients do to their updates, in this order; absent: nothing. */
  readonly defences?: readonly KnownDefence[];
  /** The client's mean cross-entropy. Nobody is sent it. */
  readonly loss: number;
}

/** What a client or its deployment may reveal beyond the update itself, and why a server would know it. */
export const CAPABILITIES = {
  "batch-size": "the number of images in the batch (part of the training configuration)",
  labels: "the true labels, in no particular order",
  "bn-statistics": "BatchNorm's batch statistics, which follow from running statistics where clients send them",
  "local-schedule": "number of local steps, learning rate and batch order",
  defence: "which defences clients apply, with their settings (usually the server dictates them)",
  "public-data": "images from the client's distribution, or a generator trained on them",
} as const;

export type Capability = keyof typeof CAPABILITIES;

/** What the paper's server knows beside the update. Source: FedLeak, Section 2.4. */
export const DEFAULT_GRANTS: readonly Capability[] = ["batch-size"];

/** What the adversary sees: the update and what was granted, nothing else. Made by `observe` alone. */
export interface Observation {
  readonly modelName: string;
  readonly mode: Mode;
  readonly global: Weights;
  readonly update: Tensors<"float32">;
  /** Granted by "batch-size". */
  readonly batchSize?: number;
  /** Granted by "labels"; ascending, so that they say nothing about the order of the images. */
  readonly labels?: readonly number[];
  /** Granted by "bn-statistics". */
  readonly statistics?: Readonly<Record<string, ChannelStatistics>>;
  /** Granted by "bn-statistics": the running statistics the client sent. */
  readonly buffers?: Tensors<"float32">;
  /** Granted by "defence". */
  readonly defences?: readonly KnownDefence[];
  readonly granted: readonly Capability[];
}
