import type { Tensor, Tensors } from "../../tensor/index.ts";

/** What a rule infers labels from: all of it known to the server. */
export interface LabelEvidence {
  /** The names of the last linear layer's weight [N,D] and, where it has one, bias [N]. */
  readonly head: { readonly weight: string; readonly bias?: string };
  /** The observed gradient of the mean loss, by parameter name. */
  readonly update: Tensors<"float32">;
  /** What the server handed out. */
  readonly global: { readonly params: Tensors<"float32">; readonly buffers: Tensors<"float32"> };
  /** B ≥ 1. */
  readonly batchSize: number;
  /** N ≥ 2. */
  readonly classes: number;
  /** [M,N]: the model's softmax on dummy images, one half plain noise, the other smooth; see `gatherEvidence`. */
  readonly probabilities?: Tensor<"float32">;
}

/** A way to infer the labels of a batch from the gradient of a model's last layer. */
export interface Rule {
  /** What it looks at, in one line. */
  readonly about: string;
  readonly source: string;
  /** Whether it needs the gradient of the head's bias. */
  readonly needsBias: boolean;
  /** Whether it needs `probabilities`. */
  readonly needsDummies: boolean;
  /** How many images of each class there are: N whole numbers ≥ 0 whose sum is B. */
  count(evidence: LabelEvidence): readonly number[];
}
