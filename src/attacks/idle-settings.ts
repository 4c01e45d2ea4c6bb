import type { AttackSettings, SettingName } from "./settings.ts";

type Reason = (settings: AttackSettings) => string | false;

const onPixels: Reason = ({ parameterisation }) => parameterisation === "pixels" && "pixels are optimised";
const onGenerator: Reason = ({ parameterisation }) => parameterisation === "generator" && "a generator is optimised";
const noLookahead: Reason = ({ gamma }) => gamma === 0 && "gamma is 0";

/** When a setting does nothing beside the others, and why; settings that are not listed always act. */
const IDLE: { readonly [K in SettingName]?: Reason } = {
  generatorChannels: onPixels,
  generatorLatent: onPixels,
  init: onGenerator,
  clamp: onGenerator,
  maskScope: ({ maskRatio }) => maskRatio === 1 && "maskRatio is 1",
  lookahead: noLookahead,
  lookaheadStep: (all) => noLookahead(all) || (all.lookahead === "descent" && "lookahead is descent"),
  labelLearningRate: ({ labels }) => labels !== "joint" && "labels are not optimised",
  medianFilterFrom: ({ medianFilter }) => medianFilter < 2 && "there is no filter",
};

/** Why a setting has no effect among these, or undefined when it has one. */
export function whyIdle(name: SettingName, settings: AttackSettings): string | undefined {
  return IDLE[name]?.(settings) || undefined;
}
