export { type CkksAdder, type CkksKeyHolder, type CkksPlan, openCkksAdder, openCkksKeys, SLOTS } from "./ckks.ts";
export {
  type Advertised,
  advertiseKeys,
  type Committed,
  maskInput,
  type Shared,
  shareKeys,
  unmask,
} from "./client.ts";
export { type Clock, type Cost, seconds } from "./cost.ts";
export { type EncryptedOutcome, type EncryptedRound, type EncryptedUpdate, encryptedRound } from "./encrypted-round.ts";
export { type FixedPoint, fixedPoint, MOST_CLIENTS, opened, quantised, roundingBound } from "./fixed-point.ts";
export { flatUpdate, unflattened } from "./flat-update.ts";
export { type MaskedOutcome, type MaskedRound, maskedRound, ROUNDS, type Round } from "./masked-round.ts";
export {
  bytesOf,
  type MaskedInput,
  type Message,
  type PublicKeys,
  type SealedShares,
  type ShareOf,
  type Unmasking,
} from "./messages.ts";
export { type Random, seededRandom, systemRandom } from "./random.ts";
export { topPositions } from "./selective.ts";
export { type Collected, openSum } from "./server.ts";
export { PRIME, recoverSecret, type Share, shareSecret } from "./shamir.ts";
export { checkThreshold, usualThreshold } from "./threshold.ts";
