import type { Tensors } from "../../tensor/index.ts";

/** What one client sent in one round, and apart from it what it holds back. */
export interface Captured {
  readonly client: number;
  readonly round: number;
  /** The server's weights, parameters and buffers; those that clients keep are the server's own first values. */
  readonly before: Tensors<"float32">;
  readonly sent: "gradient" | "weights" | "delta";
  /** By name: gradients, weights after local training, or weights after − before; moved buffers where they are sent. */
  readonly update: Tensors<"float32">;
  readonly learningRate: number;
  readonly localSteps: number;
  /** Images a step. */
  readonly batchSize: number;
  /** How many images the client has: servers are told, as it is the client's weight in the average. */
  readonly images: number;
  /** Indices into the data of the images it trained on, step by step. */
  readonly batches: readonly (readonly number[])[];
  /** What the client keeps for itself and began with; empty when nothing. */
  readonly own: Tensors<"float32">;
}

/** after − before, name by name. */
export function deltaOf(after: Tensors<"float32">, before: Tensors<"float32">): Tensors<"float32"> {
  return Object.fromEntries(
    Object.entries(after).map(([name, t]) => {
      const { data } = before[name]!;
      return [name, { ...t, data: t.data.map((v, i) => v - data[i]!) }];
    }),
  );
}
