import type { Tensor } from "../../tensor/index.ts";

/** What a closed form found: images [B,C,H,W] in the order of how sure they are, mid-grey where there is none. */
export interface Leak {
  readonly images: Tensor<"float32">;
  /** How many of them are images, the first ones. */
  readonly found: number;
  /** In words, for the ledger. */
  readonly about: string;
}
