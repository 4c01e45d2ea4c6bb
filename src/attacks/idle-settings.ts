import type { AttackSettings, SettingName } from "./settings.ts";

type Reason = (settings: AttackSettings) => string | false;

const unlessOptimising: Reason = ({ method }) => method !== "optimise" && "images are solved for";
const unlessPixels: Reason = ({ parameterisation: p }) => p !== "pixels" && p !== "low-resolution" && MADE[p];
const MADE = {
  generator: "the generator makes the images",
  latent: "the decoder makes the images",
  columns: "columns start from N(0,1) and have their own bounds",
} as const;
const unlessGenerator: Reason = ({ parameterisation: p }) => p !== "generator" && "no generator is optimised";
const unlessLookahead: Reason = ({ gamma }) => gamma === 0 && "gamma is 0";
const unlessGradient: Reason = ({ optimiser: o }) => (o === "l-bfgs" || o === "cma-es") && `${o} steps by itself`;
const oneCandidate: Reason = ({ restarts }) => restarts === 1 && "there is one candidate";

/** When a setting does nothing beside the others, and why; settings that are not listed always act. */
const IDLE: { readonly [K in SettingName]?: Reason } = {
  generatorChannels: unlessGenerator,
  generatorLatent: unlessGenerator,
  downscale: ({ parameterisation: p }) => p !== "low-resolution" && "images are not enlarged",
  init: unlessPixels,
  clamp: (all) => unlessPixels(all) || unlessGradient(all),
  maskScope: ({ maskRatio }) => maskRatio === 1 && "maskRatio is 1",
  distanceScope: ({ l1Weight, cosineWeight }) =>
    l1Weight + cosineWeight === 0 && "the distance is a plain sum of squares",
  surrogateAt: ({ localModel }) => localModel !== "surrogate" && "no surrogate point is taken",
  gamma: unlessGradient,
  lookahead: (all) => unlessGradient(all) || unlessLookahead(all),
  lookaheadStep: (all) =>
    unlessGradient(all) || unlessLookahead(all) || (all.lookahead === "descent" && "lookahead is descent"),
  history: ({ optimiser }) => optimiser !== "l-bfgs" && "only l-bfgs remembers steps",
  population: ({ optimiser }) => optimiser !== "cma-es" && "only cma-es tries several points",
  weightDecay: unlessGradient,
  signed: unlessGradient,
  langevin: unlessGradient,
  schedule: unlessGradient,
  scheduleFloor: (all) =>
    unlessGradient(all) ||
    (all.schedule !== "cosine" && all.schedule !== "exponential" && `the schedule is ${all.schedule}`),
  scheduleCycle: (all) => unlessGradient(all) || (all.schedule === "constant" && "the schedule is constant"),
  warmUp: unlessGradient,
  labelLearningRate: (all) => (all.labels !== "joint" && "labels are not optimised") || unlessGradient(all),
  consensus: oneCandidate,
  groupConsistency: oneCandidate,
  polishLearningRate: ({ polish }) => polish === 0 && "there is no polish",
  medianFilterFrom: ({ medianFilter }) => medianFilter < 2 && "there is no filter",
};

const WITHOUT_SEARCH: ReadonlySet<SettingName> = new Set(["method", "medianFilter", "medianFilterFrom", "restore"]);

/** Why a setting has no effect among these, or undefined when it has one. */
export function whyIdle(name: SettingName, settings: AttackSettings): string | undefined {
  const noSearch = !WITHOUT_SEARCH.has(name) && unlessOptimising(settings);
  return noSearch || IDLE[name]?.(settings) || undefined;
}
