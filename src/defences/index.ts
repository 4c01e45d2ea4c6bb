export { classicalSigma, epsilonOf, type Releases, sigmaFor } from "./accountant.ts";
export { type AdaptiveState, adapted } from "./adaptive-dp.ts";
export { DEFENCES, knownLink, type Link, link, linkText } from "./catalogue.ts";
export { chain, type DefendedStep } from "./chain.ts";
export { rangeText, type SettingSpec, type SettingSpecs, type SettingValue } from "./settings.ts";
export { featureScores } from "./soteria.ts";
export { type Acts, type Defence, defineDefence, type Scene, STAGES, type Stage, type Update } from "./types.ts";
