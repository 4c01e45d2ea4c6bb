export { clientGradientStep, type GradientStep, oneHot } from "./client.ts";
export { observationLedger, observe } from "./observe.ts";
export { movedStatistics } from "./running-statistics.ts";
export {
  CAPABILITIES,
  type Capability,
  type ChannelStatistics,
  type ClientUpdate,
  DEFAULT_GRANTS,
  type Observation,
  type Weights,
} from "./types.ts";
