export type { SecureRoundResult } from "./result.ts";
export { runSecureRound, type SecureRoundWatcher } from "./run.ts";
export {
  completeSecureRound,
  SCHEMES,
  type SchemeName,
  type SecureRoundRequest,
  type SecureRoundSpec,
} from "./spec.ts";
