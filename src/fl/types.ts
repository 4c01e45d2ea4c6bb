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

/** Local training as the server dictates it: S steps of plain SGD, w ← w − η·∇L, each on images of its own. */
export interface LocalSchedule {
  /** S ≥ 2: after one step a client sends its gradient. */
  readonly steps: number;
  /** η > 0 */
  readonly learningRate: number;
}

/** Everything a client could send, or that could be known of it, after one round. It holds no image. */
export interface ClientUpdate {
  readonly modelName: string;
  /** How the client's BatchNorm normalised: part of the training configuration, so the server knows it. */
  readonly mode: Mode;
  /** What the server handed out. */
  readonly global: Weights;
  /** The gradient of the mean cross-entropy by each parameter name; of S local steps their mean, (w_old − w_new)/(η·S). */
  readonly update: Tensors<"float32">;
  /** How many images the update is made of: those of all local steps. */
  readonly batchSize: number;
  /** How the client trained; absent where it sent the gradient of one batch. */
  readonly local?: LocalSchedule;
  /** A class index an image, in the order of the images. */
  readonly labels: readonly number[];
  /** By module name; empty in eval mode. Of several local steps a weighted mean (`statisticsSeen`). */
  readonly statistics: Readonly<Record<string, ChannelStatistics>>;
  /** The running statistics after the step, by buffer name; in eval mode those handed out. */
  readonly buffers: Tensors<"float32">;
  /** Of how many clients' updates it is the mean, U ≥ 2; absent: it is one client's. */
  readonly clients?: number;
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
  "local-schedule":
    "the number of local steps and their learning rate (training configuration too), not which image came when",
  defence: "which defences clients apply, with their settings (usually the server dictates them)",
  "public-data": "images from the client's distribution, or a generator trained on them",
} as const;

export type Capability = keyof typeof CAPABILITIES;

/**
 * What a server knows beside the update. Source: FedLeak, Section 2.4, for the batch size; that it knows the local schedule,
 * without which weights would be no gradient, is our choice.
 */
export const DEFAULT_GRANTS: readonly Capability[] = ["batch-size", "local-schedule"];

/** What the adversary sees: the update and what was granted, nothing else. Made by `observe` alone. */
export interface Observation {
  readonly modelName: string;
  readonly mode: Mode;
  readonly global: Weights;
  readonly update: Tensors<"float32">;
  /** Granted by "batch-size". */
  readonly batchSize?: number;
  /** Granted by "local-schedule"; absent for the gradient of one batch too. */
  readonly local?: LocalSchedule;
  /** Granted by "labels"; ascending, so that they say nothing about the order of the images. */
  readonly labels?: readonly number[];
  /** Granted by "bn-statistics". */
  readonly statistics?: Readonly<Record<string, ChannelStatistics>>;
  /** Granted by "bn-statistics": the running statistics the client sent. */
  readonly buffers?: Tensors<"float32">;
  /** Of how many clients' updates it is the mean, U ≥ 2: the server runs the protocol. Absent: it is one client's, or taken for that. */
  readonly clients?: number;
  /** Granted by "defence". */
  readonly defences?: readonly KnownDefence[];
  readonly granted: readonly Capability[];
}
