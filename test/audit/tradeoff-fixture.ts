import { join } from "node:path";
import {
  type AskedCell,
  cellsOf,
  completeTradeoff,
  startTradeoff,
  type TradeoffOptions,
  type TradeoffPlan,
  type TradeoffRequest,
} from "../../src/audit/index.ts";
import { freshFolder } from "../cli/fedleak.ts";

export const asked = (...names: string[]): AskedCell[] => names.map((name) => [{ name, settings: {} }]);

/** A trade-off of seconds: eight photographs of 8 × 8, two clients, four rounds, one attack of twelve evaluations a place. */
export function tinyPlan(
  cells = cellsOf(asked("quantise"), ["strong"], [null]),
  attack: Partial<TradeoffRequest["attack"]> = {},
  train: TradeoffRequest["train"] = {},
): TradeoffPlan {
  return completeTradeoff({
    train: {
      ...{ model: { name: "mlp3", options: { hidden: 4 } }, data: { size: 8, publicShare: 0.25 } },
      ...{ length: 4, batchSize: 2, threads: 1, checkpointEvery: 1 },
      federation: { clients: 2, share: 1, localSteps: 1 },
      ...train,
    },
    cells: cells as never,
    attack: { attacks: [{ name: "inverting-gradients" }], seeds: 1, evaluations: 12, checkpointEvery: 5, ...attack },
  });
}

/** Options that draw nothing. */
export function quiet(more: Partial<TradeoffOptions> = {}): TradeoffOptions {
  const render = { training: () => "", trial: () => "" };
  return { render, renderTradeoff: () => ({ "note.txt": "drawn" }), ...more };
}

export function begin(plan = tinyPlan(), more: Partial<TradeoffOptions> = {}, out = join(freshFolder(), "t")) {
  return startTradeoff(plan, { ...quiet(more), out, command: "fedleak tradeoff" });
}
