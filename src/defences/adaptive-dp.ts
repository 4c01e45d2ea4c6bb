import { ABOVE_ZERO, FROM_ZERO, number, SHARE } from "./settings.ts";
import { defineDefence } from "./types.ts";
import { addNormal, clipTo } from "./update-arithmetic.ts";

/**
 * As dp-sgd, with clip and noise of this round: C = a · mean norm of the last round's noised gradients, σ = sigma · b^decays.
 *
 * Before there is a last round (norm 0), C = clip. Between rounds `adapted` moves both. Source: Fu et al., Adap DP-FL, TrustCom
 * 2022. Differs: a, b and the first values are lost in our sources; ours are marked. ε is not accounted for: norms and validation
 * losses that steer it are themselves taken from the data.
 */
export const adaptiveDp = defineDefence({
  name: "adaptive-dp",
  about: "clips the gradient of each image to a length that follows the last round's, with noise that shrinks",
  source: "Fu, Chen, Han, Adap DP-FL, TrustCom 2022",
  claim:
    "no image moves the sum by more than this round's clip; the noise has deviation sigma × decay^decays × clip / B",
  stage: "example-gradient",
  settings: {
    sigma: number(1, ABOVE_ZERO, "the noise of the first round, in units of the clip"),
    clip: number(1, ABOVE_ZERO, "the length that gradients are clipped to before there is a last round"),
    factor: number(1, ABOVE_ZERO, "a, the clip in units of the last round's mean norm; idle where norm is 0"),
    norm: number(0, FROM_ZERO, "the mean norm of the last round's noised gradients; 0: there was none"),
    decay: number(0.9, SHARE, "b, what the noise is multiplied by when it shrinks; idle where decays is 0"),
    decays: number(0, { from: 0, whole: true }, "how often it has shrunk so far"),
  },
  known: (settings) => ({ ...settings, clip: clipOf(settings), sigma: sigmaOf(settings) }),
  tells: (settings) => `clip ${clipOf(settings).toPrecision(4)}, sigma ${sigmaOf(settings).toPrecision(4)}, no epsilon`,
  each: (gradient, settings) => clipTo(gradient, clipOf(settings)),
  apply: (mean, { settings, key, step }) =>
    addNormal(mean, (sigmaOf(settings) * clipOf(settings)) / step.labels.length, key),
});

/** What adaptive-dp remembers between rounds. */
export interface AdaptiveState {
  readonly norm: number;
  readonly decays: number;
  /** Validation losses since the noise last shrank. */
  readonly losses: readonly number[];
}

/** The state after a round: its mean noised norm is kept, and three falling validation losses in a row shrink the noise. */
export function adapted({ decays, losses }: AdaptiveState, norm: number, validationLoss: number): AdaptiveState {
  const all = [...losses, validationLoss].slice(-FALLING - 1);
  const falling = all.length > FALLING && all.every((loss, i) => i === 0 || loss < all[i - 1]!);
  return falling ? { norm, decays: decays + 1, losses: [validationLoss] } : { norm, decays, losses: all };
}

const FALLING = 3; // METHODS 3

function clipOf({ clip, factor, norm }: { readonly clip: number; readonly factor: number; readonly norm: number }) {
  return norm > 0 ? factor * norm : clip;
}

function sigmaOf(of: { readonly sigma: number; readonly decay: number; readonly decays: number }): number {
  return of.sigma * of.decay ** of.decays;
}
