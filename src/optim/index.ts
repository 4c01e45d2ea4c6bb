export { type AdamOptions, adam, adamw } from "./adam.ts";
export { addDecay } from "./decay.ts";
export { clip, globalNorm, signed } from "./gradient.ts";
export { constant, cosine, type Schedule, step, warmUp } from "./schedules.ts";
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
