import type { Tensor } from "../../tensor/index.ts";

/** What a closed form found: images [B,C,H,W] in the order of how sure they are, mid-grey where there is none. */
export interface Leak {
  readonly images: Tensor<"float32">;
  /** How many of them, the first ones, follow from the update alone; others are grey, or one of many that fit. */
  readonly found: number;
  /**
   * The largest relative residual ‖A·x − b‖/‖b‖ of the systems that were solved: how far the update contradicts itself and the
   * weights. 0 where there is none, since units that agree are the test.
   */
  readonly relativeResidual: number;
  /** In words, for the ledger. */
  readonly about: string;
}
