import type { Tensor } from "../tensor/index.ts";

/** Images of one size with a class each. */
export interface LabelledImages {
  /** [M,C,H,W] in [0,1], M ≥ 1. */
  readonly images: Tensor<"float32">;
  /** M indices into `classNames`. */
  readonly labels: readonly number[];
  readonly classNames: readonly string[];
  /** Where the images come from, in words: for the ledger. */
  readonly source: string;
}
