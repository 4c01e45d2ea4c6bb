import { guardianObjective } from "./guardian.ts";
import { gradientShare, selectiveEncryption, soteria, sparsify } from "./hidden.ts";
import { gaussianDp, perImage, zeroSumNoise } from "./noise.ts";
import { outpost } from "./outpost.ts";
import { quantise, sign } from "./rounded.ts";
import type { Counterpart } from "./types.ts";

/** How an attacker takes each defence into account, by the defence's name. */
export const COUNTERPARTS: Readonly<Record<string, Counterpart>> = {
  "gaussian-dp": gaussianDp,
  "dp-sgd": perImage,
  "adaptive-dp": perImage,
  quantise,
  sparsify,
  sign,
  soteria,
  outpost,
  "guardian-objective": guardianObjective,
  "gradient-share": gradientShare,
  "selective-encryption": selectiveEncryption,
  "zero-sum-noise": zeroSumNoise,
  "secure-aggregation": (match) => ({ match, about: "has nothing to do: the images of all clients are looked for" }),
};
