export { adaptiveDistance } from "./adaptive-distance.ts";
export { adaptationText, knownDefences } from "./known.ts";
