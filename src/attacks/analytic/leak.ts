import type { Tensor } from "../../tensor/index.ts";

/** What a closed form found: images [B,C,H,W] in the order of how sure they are, mid-grey where there is none. */
export interface Leak {
  readonly images: Tensor<"float32">;
  /** How many of them, the first ones, follow from the update alone; others are grey, or one of many that fit. */
  readonly found: number;
  /** In words, for the ledger. */
  readonly about: string;
}
