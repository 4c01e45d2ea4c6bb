export type { PriorEvent, PriorWatcher } from "./conduct.ts";
export { type LoadedPrior, loadPrior } from "./load.ts";
export { PRIOR_FILES, type PriorRecord } from "./record.ts";
export { completePriorSpec, type PriorRequest, type PriorSpec } from "./spec.ts";
export { isPrior, type PriorOptions, type PriorOutcome, resumePrior, trainPrior } from "./train.ts";
