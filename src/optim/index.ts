export { type AdamOptions, adam, adamw } from "./adam.ts";
export { type CmaEsState, cmaEsAsk, cmaEsInitial, cmaEsTell } from "./cma-es.ts";
export { addDecay } from "./decay.ts";
export { clip, globalNorm, signed } from "./gradient.ts";
export { type Evaluation, type LBfgsOptions, type LBfgsState, type LBfgsStep, lBfgsStep } from "./l-bfgs.ts";
export { constant, cosine, exponential, type Schedule, step, warmRestarts, warmUp } from "./schedules.ts";
export { type SgdOptions, sgd } from "./sgd.ts";
export {
  chain,
  type Descent,
  descend,
  mapNodes,
  type Nodes,
  scalarInputs,
  type Transform,
  type TransformStep,
  zeroState,
} from "./transform.ts";
