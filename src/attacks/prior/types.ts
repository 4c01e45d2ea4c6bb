import type { Node } from "../../graph/index.ts";
import type { Tensors } from "../../tensor/index.ts";

/** What a server may have learned from public images: a decoder that makes images of latent vectors, and a restorer. */
export interface Prior {
  readonly name: string;
  /** What it is and what it was trained on, in words, for the ledger. */
  readonly about: string;
  /** L, the length of a latent vector. */
  readonly latent: number;
  /** Latent vectors are kept in (−limit, limit): where the decoder was trained, or where its authors draw them. */
  readonly limit: number;
  /** N when `decode` needs to be told the classes, else 0. */
  readonly classes: number;
  /** [C,H,W] */
  readonly imageShape: readonly [number, number, number];
  /** z [B,L] and, with `classes`, rows of probabilities [B,N] → images [B,C,H,W] in [0,1]. */
  decode(z: Node, labels?: Node): Node;
  /** Degraded images [B,C,H,W] → clean ones in [0,1], same shape. */
  restore?(images: Node): Node;
  /** Values of the input nodes that `decode` and `restore` refer to; their names begin with "prior.". */
  readonly tensors: Tensors<"float32">;
}
