import type { Node } from "../../graph/index.ts";
import type { Nodes } from "../../optim/index.ts";
import type { Shape, Tensors } from "../../tensor/index.ts";
import type { Key } from "../../util/index.ts";

/** What stands behind the candidate images: which tensors are optimised and how images are made of them. */
export interface Parameterisation {
  /** Optimised: shapes by name. */
  readonly variables: Readonly<Record<string, Shape>>;
  /** Rewritten by each `decode`, not optimised. */
  readonly buffers: Readonly<Record<string, Shape>>;
  /** Drawn once and never written. */
  readonly fixed: Readonly<Record<string, Shape>>;
  /** The variable that already is the images, if one is. */
  readonly imagesIn?: string;
  /** First values of variables, buffers and fixed tensors. */
  initial(key: Key): Tensors<"float32">;
  /** All of those as nodes → images [B,C,H,W] and the buffers' next values. */
  decode(tensors: Nodes): { readonly images: Node; readonly buffers: Nodes };
  /** Puts variables back into the set they may lie in, after a step. */
  project(variables: Nodes): Nodes;
}
