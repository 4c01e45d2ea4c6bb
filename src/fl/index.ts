export { BUFFER_RULES, type BufferRule, keptByClient, type Share, weightedMean } from "./aggregate.ts";
export { type BatchOrder, batchOrder } from "./batch-order.ts";
export { clientGradientStep, type GradientStep, oneHot } from "./client.ts";
export { clientUpdate } from "./client-update.ts";
export { countCorrect, type Evaluation, type EvaluationPlan, type Evaluator, openEvaluator } from "./evaluate.ts";
export {
  type ClientPlan,
  type Clients,
  clientsOf,
  type LocalGradient,
  type Turn,
  type TurnOutcome,
} from "./local-training.ts";
export { observationLedger, observe } from "./observe.ts";
export { prefixed, withPrefix } from "./prefix.ts";
export { averaged, type Contribution, drawClients, handedOut, keptOf } from "./round.ts";
export { batchNormCounts, movedStatistics, statisticsSeen, stepShares } from "./running-statistics.ts";
export { type ServerPlan, type ServerProgram, serverStep } from "./server-step.ts";
export {
  beginTraining,
  type TrainingOutcome,
  type TrainingPlan,
  type TrainingProgram,
  type TrainingState,
  trainingStep,
} from "./training-step.ts";
export {
  type Batch,
  CAPABILITIES,
  type Capability,
  type ChannelStatistics,
  type ClientUpdate,
  DEFAULT_GRANTS,
  type KnownDefence,
  type LocalSchedule,
  type Observation,
  type Weights,
} from "./types.ts";
