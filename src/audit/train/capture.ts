import type { Weights } from "../../fl/index.ts";
import type { Tensors } from "../../tensor/index.ts";

/** What one client sent in one round, and apart from it what it holds back. */
export interface Captured {
  readonly client: number;
  readonly round: number;
  /** What the server handed out. */
  readonly before: Tensors<"float32">;
  readonly update: Tensors<"float32">;
  readonly sent: "gradient" | "weights";
  readonly learningRate: number;
  readonly localSteps: number;
  readonly batchSize: number;
  /** How many images the client has. */
  readonly images: number;
  /** The indices of the images it trained on, step by step. */
  readonly batches: readonly (readonly number[])[];
  /** The client's own weights before, where it keeps some of them. */
  readonly own: Weights;
}
