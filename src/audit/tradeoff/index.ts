export { assumptionsOf, notTestedOf } from "./caveats.ts";
export { attackersOf, isAdaptive } from "./cell-trials.ts";
export { type AskedCell, type Cell, type CellDefence, cellsOf } from "./cells.ts";
export type { CellPlan, TradeoffEvent, TradeoffWatcher } from "./events.ts";
export {
  type AttackTerms,
  completeTradeoff,
  PLACES,
  type Place,
  type TradeoffPlan,
  type TradeoffRequest,
} from "./plan.ts";
export {
  type Attacker,
  type CellRow,
  type CellTraining,
  parseTradeoff,
  type Tradeoff,
  type TradeoffLine,
} from "./record.ts";
export { LADDERS, type Ladder, STRENGTHS, type Strength } from "./strengths.ts";
export { tradeoffTable } from "./table.ts";
export { resumeTradeoff, startTradeoff, type TradeoffOptions, type TradeoffOutcome } from "./tradeoff.ts";
export { cellFolders, isTradeoff, readTradeoff, TRADEOFF_FILES, type TradeoffDocuments } from "./tradeoff-folder.ts";
