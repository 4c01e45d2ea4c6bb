import type { RunRequest } from "../audit/index.ts";

/**
 * The audit that `fedleak demo` runs: short, and visibly successful.
 *
 * Four embedded photographs, the setting of FedLeak's released program (sigmoids, random weights, BatchNorm by the batch,
 * labels known) with few iterations, so that it ends within two minutes on two idle processor cores.
 */
export const DEMO: RunRequest = {
  attack: { name: "fedleak-plus", settings: { iterations: 300 } },
  model: { name: "resnet10", options: { activation: "sigmoid" } },
  data: { name: "embedded" },
  client: { batchSize: 4, grants: ["batch-size", "labels"] },
  seed: 1,
};
